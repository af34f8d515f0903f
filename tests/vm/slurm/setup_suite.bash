# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A container is set up before its tests, by the file run; a guest by the first of its files.

setup_suite() {
	[ -e /etc/slurm/slurm.conf ] || tests/vm/slurm/setup
}
