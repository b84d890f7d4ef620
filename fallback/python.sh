# Puts a version of Python into an image of Debian from a release of Debian's that has it, for a machine where no image of
# that version can be had. Runs as root in a build container; its arguments are the version and the name of the release.
# Signatures of packages are checked with the keys in the image.
set -eu
version=$1 release=$2
. /etc/os-release
[ "${ID:-}" = debian ] || { echo "the image is not Debian's" >&2; exit 1; }

# From where the image has its packages.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^#' | grep -oE 'https?://[^ ]+' | grep -v security | head -n 1)
[ -n "$mirror" ] || { echo "the image does not say where its packages come from: name an image that has Python $version" >&2; exit 1; }
# The release is one to come, and a mirror of it may be some weeks behind.
echo "deb [check-valid-until=no] $mirror $release main" > /etc/apt/sources.list.d/pyexec.list
fetching="-o Acquire::Languages=none -o Acquire::Retries=1 -o Acquire::http::Timeout=20"
apt-get update -q --error-on=any $fetching
apt-get install -y -q --no-install-recommends $fetching -t "$release" "python$version" "python$version-venv" python3-pip
apt-get clean
rm -rf /var/lib/apt/lists/*
# This container is nobody's but the job's.
rm -f "/usr/lib/python$version/EXTERNALLY-MANAGED"

for name in python3 python; do ln -sf "/usr/bin/python$version" "/usr/local/bin/$name"; done
for name in pip3 pip; do
  printf '#!/bin/sh\nexec python3 -m pip "$@"\n' > "/usr/local/bin/$name.new"
  chmod 755 "/usr/local/bin/$name.new"
  mv "/usr/local/bin/$name.new" "/usr/local/bin/$name"
done
python3 -c 'import sys, ctypes, sqlite3, ssl, zlib; assert "%d.%d" % sys.version_info[:2] == sys.argv[1]' "$version"
python3 -m pip --version
