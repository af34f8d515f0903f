# SPDX-License-Identifier: MIT
# Other architectures; included by tests/rules.mk.

# Compiled for all that this machine's Debian has a compiler for; ARCHES="arm64 i386" chooses.
cross:
	@PACKAGES='$(BUILD_PACKAGES) libcmocka-dev' tests/arch/cross $(ARCHES)

ARCH_PACKAGES = $(BUILD_PACKAGES) arch-test debian-archive-keyring e2fsprogs git kmod mmdebstrap python3 \
                qemu-system-arm qemu-system-misc qemu-system-ppc

# Unit and system tests on other architectures; SYSTEM_TESTS= chooses among the system tests. arm64-16k is a kernel
# with pages of 16 kB, armhf-64 has 32-bit programs on the kernel of arm64; tests/arch/machines has the list.
arch-check: ARCHES ?= arm64 arm64-16k armhf armhf-64 i386 ppc64el riscv64 s390x
arch-check:
	@tests/install $(if $(filter-out i386,$(ARCHES)),$(ARCH_PACKAGES)) $(if $(filter i386,$(ARCHES)),$(ROOT_PACKAGES))
	@PACKAGES='$(IN_ROOT_PACKAGES)' tests/arch/check $(ARCHES)

# As "make faults", in such guests: ARCHES=, SCOPE=, PART=, ONLY=.
arch-faults: ARCHES ?= arm64
arch-faults:
	@tests/install $(ARCH_PACKAGES)
	@SCOPE='$(SCOPE)' PART='$(PART)' ONLY='$(ONLY)' tests/arch/faults $(ARCHES)

# The Debian package of this machine's suite, built for other architectures, in such guests with systemd.
arch-package: ARCHES ?= arm64
arch-package:
	@tests/install $(ARCH_PACKAGES) build-essential debhelper
	@tests/arch/package/run $(ARCHES)

# The table of doc/compatibility.md, from what cross, arch-check and arch-package have left.
arch-table:
	@tests/arch/table

.PHONY: cross arch-check arch-faults arch-package arch-table
