package supply

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/internal/release"
	"xmrfleet/modules/hint"
)

func TestDownloadRelease(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var packed bytes.Buffer
	if err := release.Pack(&packed, "6.26.0", []byte("#!/bin/sh\n")); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(packed.Bytes())
	sum := hex.EncodeToString(digest[:])
	requests := 0
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		switch r.URL.Path {
		case "/good":
			w.Write(packed.Bytes())
		case "/hang":
			w.Write(packed.Bytes()[:10])
			w.(http.Flusher).Flush()
			<-hang
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	defer close(hang)
	get := func(ctx context.Context, path, sum string) (string, error) {
		var said strings.Builder
		_, err := downloadRelease(ctx, server.URL+path, sum, &said)
		return said.String(), err
	}

	if _, err := get(t.Context(), "/none", sum); err == nil || err.Error() != "download "+server.URL+"/none: 404 Not Found" || hint.Of(err) == "" {
		t.Errorf("a missing archive: %v, hint %q", err, hint.Of(err))
	}
	wrong := strings.Repeat("0", 64)
	if _, err := get(t.Context(), "/good", wrong); err == nil || !strings.Contains(err.Error(), "its sha256 is "+sum+", fleet.hcl wants "+wrong) {
		t.Errorf("a wrong checksum: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := get(ctx, "/hang", sum); err == nil || ctx.Err() == nil {
		t.Errorf("an archive that stalls: %v", err)
	}

	requests = 0
	for i, want := range []string{"downloading " + server.URL + "/good\n", ""} {
		if said, err := get(t.Context(), "/good", sum); err != nil || said != want {
			t.Errorf("time %d: said %q, %v", i+1, said, err)
		}
	}
	if requests != 1 {
		t.Errorf("%d requests for one archive", requests)
	}
}
