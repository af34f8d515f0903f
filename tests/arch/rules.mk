# SPDX-License-Identifier: MIT
# Other architectures; included by tests/rules.mk.

# Compiled for all that this machine's Debian has a compiler for; ARCHES="arm64 i386" chooses.
cross:
	@PACKAGES='$(BUILD_PACKAGES) libcmocka-dev' tests/arch/cross $(ARCHES)

.PHONY: cross
