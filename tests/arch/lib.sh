# SPDX-License-Identifier: MIT
# What the scripts of this directory share; they source it. Bash.
# shellcheck shell=bash

arch_cache=${ARCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pam_unshare-arch}

# machine NAME: sets $arch and $suite of its programs, $kernel_arch, $kernel_suite and $kernel of its kernel
machine() {
	local name
	# shellcheck disable=SC2034 # for the caller
	while read -r name arch suite kernel_arch kernel_suite kernel; do
		[ "$name" != "$1" ] || return 0
	done <"${BASH_SOURCE[0]%/*}/machines"
	echo "arch: unknown machine '$1'; these are known: $(sed '/^#/d; s/ .*//' "${BASH_SOURCE[0]%/*}/machines" | xargs)" >&2
	return 1
}

# cached NAME HASHED COMMAND…: prints the directory NAME-HASH of the cache, which COMMAND DIRECTORY has filled, once
cached() {
	local name=$1 directory
	directory=$arch_cache/$name-$(sha256sum <<<"$2" | cut -c 1-16)
	shift 2
	mkdir -p "$arch_cache"
	exec {lock}>"$arch_cache/$name.lock"
	flock -w 1800 "$lock"
	if [ ! -d "$directory" ]; then
		# What a killed build left: the lock says that no other is at work.
		rm -rf "$arch_cache/tmp.$name".*
		work=$(mktemp -d "$arch_cache/tmp.$name.XXXXXX")
		trap 'rm -rf "$work"' EXIT
		# shellcheck disable=SC2046 # process ids
		trap 'kill $(jobs -p) 2>/dev/null; wait; exit 143' TERM INT HUP
		"$@" "$work" >&2
		chmod 755 "$work"
		mv -T "$work" "$directory"
	fi
	# Those of older recipes that nobody used for two weeks.
	touch "$directory"
	find "$arch_cache" -mindepth 1 -maxdepth 1 -name "$name-????????????????" -mtime +14 -exec rm -rf {} +
	echo "$directory"
}
