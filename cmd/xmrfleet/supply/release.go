package supply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
)

// OpenReleases opens the archive of every host that gets its XMRig pushed,
// each archive once, and puts the executable into the host's description.
// What takes time is said on progress.
func OpenReleases(ctx context.Context, fleet *hcl.Fleet, hosts []hcl.Host, progress io.Writer) error {
	opened := make(map[string]*modules.Archive)
	for i := range hosts {
		x := &hosts[i].Miner.XMRig
		if x.Install != modules.InstallPush || x.State == modules.StateAbsent {
			continue
		}
		key := x.Source + " " + x.SHA256
		if opened[key] == nil {
			archive, err := openRelease(ctx, fleet, *x, progress)
			if err != nil {
				return err
			}
			opened[key] = archive
			rememberExecutable(x.SHA256, archive.Binary.SHA256)
		}
		x.Binary, x.BinarySHA256, x.Arch = opened[key].Binary, opened[key].Binary.SHA256, opened[key].Arch
	}
	return nil
}

func openRelease(ctx context.Context, fleet *hcl.Fleet, x modules.XMRig, progress io.Writer) (*modules.Archive, error) {
	if strings.Contains(x.Source, "://") {
		return downloadRelease(ctx, x.Source, x.SHA256, progress)
	}
	path := x.Source
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(fleet.Path), path)
	}
	archive, err := modules.OpenArchive(path, x.SHA256)
	if err != nil {
		return nil, hint.With(err, "xmrig { source = ... } names the release archive and sha256 its checksum, which stands in SHA256SUMS beside it")
	}
	return archive, nil
}

// downloadRelease keeps archives by their checksum in the user's cache, so
// that each is downloaded once.
func downloadRelease(ctx context.Context, url, sha256 string, progress io.Writer) (*modules.Archive, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("download %s: %w", url, err)
	}
	path := filepath.Join(cache, "xmrfleet", sha256+".tar.gz")
	if archive, err := modules.OpenArchive(path, sha256); err == nil {
		return archive, nil
	}
	fmt.Fprintf(progress, "downloading %s\n", url)
	if err := download(ctx, url, path); err != nil {
		return nil, hint.With(fmt.Errorf("download %s: %w", url, err),
			"without a way to the internet, put the archive beside fleet.hcl and name it in xmrig { source = ... }")

	}
	archive, err := modules.OpenArchive(path, sha256)
	if err != nil {
		os.Remove(path)
		return nil, fmt.Errorf("download %s: %w", url, err)
	}
	return archive, nil
}

// maxDownload is more than any release of XMRig, in bytes.
const maxDownload = 128 << 20

func download(ctx context.Context, url, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.Unwrap(err) // *url.Error repeats the URL
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := io.Copy(f, io.LimitReader(response.Body, maxDownload)); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
