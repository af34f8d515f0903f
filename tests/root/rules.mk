# SPDX-License-Identifier: MIT
# Minimal Debian roots; included by tests/rules.mk.

ROOT_PACKAGES = apt-utils arch-test debian-archive-keyring git iproute2 mmdebstrap util-linux
IN_ROOT_PACKAGES = $(sort $(CHECK_PACKAGES) $(DEMO_PACKAGES))
IN_ROOT       = PACKAGES="$(IN_ROOT_PACKAGES)" tests/root/check

# The README's two commands, as on a new machine of each suite.
ROOTS ?= trixie forky
root-check:
	@tests/install $(ROOT_PACKAGES)
	@failed=; for root in $(ROOTS); do \
		echo "=== $$root"; $(IN_ROOT) $$root demo check || failed="$$failed $$root"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

# The tests as 32-bit programs, which this kernel runs: all of them, where arch-check runs some.
i386-check:
	@$(MAKE) --no-print-directory arch-check ARCHES=i386 SYSTEM_TESTS="$${SYSTEM_TESTS:-tests/system}"

.PHONY: root-check i386-check
