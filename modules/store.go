package modules

// The scripts that put executables into the store of a [Binary].

// intoStore opens every script that puts an executable at $1: the temporary
// file is $new, settle checks its sha256, and that it calls itself the version
// $3, and moves it in place. It is asked as nobody, and only once its checksum
// is right. What it says is kept beside it; one that says nothing of the kind
// may be any version.
const intoStore = receive + `
set -eu
umask 022
dir=${1%/*}
mkdir -p "$dir"
chown root:root "${dir%/*}" "$dir"
chmod 0755 "${dir%/*}" "$dir"
new=$dir/.new
trap 'rm -f "$new" "$dir/.archive"; rmdir "$dir" 2>/dev/null || :' EXIT
settle() {
	sum=$(sha256sum <"$new")
	[ "${sum%% *}" = "$2" ] || { echo "install $1: sha256 is ${sum%% *}, want $2" >&2; exit 1; }
	chown root:root "$new"
	chmod 0755 "$new"
	said=$(timeout 5 setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$new" --version </dev/null 2>/dev/null | head -n 1)
	said=${said##* }
	case $said in
	*[!0-9A-Za-z.+-]* | [!0-9]* | '') ;;
	*)
		[ -z "$3" ] || [ "$3" = "$said" ] || { echo "install $1: it calls itself version $said, fleet.hcl wants $3" >&2; exit 1; }
		[ "$(cat "$dir/version" 2>/dev/null)" = "$said" ] || echo "$said" >"$dir/version"
		;;
	esac
	sync "$new"
	mv -fT "$new" "$1"
	! command -v restorecon >/dev/null || restorecon "$1"
	sync "$dir"
}
`

const pushIntoStore = intoStore + `
receive "$new"
settle "$1" "$2" "$3"`

const copyIntoStore = intoStore + `
receive "$new" <"$2"
settle "$1" "$3" "$4"`

const pullIntoStore = intoStore + `
archive=$dir/.archive
curl -fsSL --retry 2 --connect-timeout 10 -o "$archive" "$2" || { echo "download $2: curl failed (exit $?)" >&2; exit 1; }
sum=$(sha256sum <"$archive")
[ "${sum%% *}" = "$3" ] || { echo "download $2: sha256 is ${sum%% *}, want $3" >&2; exit 1; }
member=$(tar -tzf "$archive" | grep -E '^(\./)?([^/]+/)?xmrig$' | head -n 1)
[ -n "$member" ] || { echo "download $2: no xmrig in the archive" >&2; exit 1; }
tar -xzOf "$archive" "$member" >"$new"
settle "$1" "$4" "$5"`

// moveIntoStore keeps the file that is in the link's place, $1, as the entry
// $4 of the store $2. $5 says whether it is adopted as ours.
const moveIntoStore = `
set -eu
umask 022
dir=$2/$4
mkdir -p "$dir"
trap 'rm -f "$dir/.new"; [ -f "$dir/$3" ] || rm -f "$dir/adopted"; rmdir "$dir" 2>/dev/null || :' EXIT
chown root:root "$2" "$dir"
chmod 0755 "$2" "$dir"
[ "$5" = no ] || : >"$dir/adopted"
cp -f "$1" "$dir/.new"
chown root:root "$dir/.new"
chmod 0755 "$dir/.new"
sync "$dir/.new"
mv -fT "$dir/.new" "$dir/$3"
! command -v restorecon >/dev/null || restorecon "$dir/$3"
sync "$dir"`
