#!/bin/sh
# Installs the Debian packages that the lab and the tests need, where that is
# possible; elsewhere it changes nothing.
set -eu
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0

missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need mmdebstrap mmdebstrap
need systemd-nspawn systemd-container
need ip iproute2
need ssh openssh-client
need /usr/sbin/sshd openssh-server
need sqlite3 sqlite3
need zsh zsh
need busybox busybox
need fish fish
need gcc gcc
need git git
[ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
[ -n "$missing" ] || exit 0

echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -qq --yes --no-install-recommends $missing >/dev/null
