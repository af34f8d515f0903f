# SPDX-License-Identifier: MIT
# Tests and checks; included by the Makefile. What they need is installed by name.

# Each build takes all processors.
NPROC   := $(shell nproc)
SUBMAKE  = $(MAKE) --no-print-directory -j$(NPROC)

BUILD_PACKAGES = gcc libc6-dev make pkg-config libpam0g-dev libcap-dev libsmartcols-dev libsystemd-dev
CHECK_PACKAGES = $(BUILD_PACKAGES) libcmocka-dev bats openssh-server openssh-client sudo strace \
                 python3-pexpect procps iproute2 busybox libcap2-bin tmux screen cron systemd
# Applications whose locks hold a pid: some 80 MB to get, which "make check" does without.
LOCKS_PACKAGES = $(CHECK_PACKAGES) borgbackup git postgresql
MONITORING_PACKAGES = $(CHECK_PACKAGES) prometheus
DEMO_PACKAGES  = $(BUILD_PACKAGES) openssh-server openssh-client procps iproute2 busybox
VM_PACKAGES    = debian-archive-keyring e2fsprogs git iproute2 mmdebstrap openssh-client python3 \
                 qemu-system-x86 util-linux
LINT_PACKAGES  = $(CHECK_PACKAGES) clang clang-tidy clang-format cppcheck shellcheck zsh man-db groff git python3

include tests/unit/rules.mk
include tests/faults/rules.mk
include tests/fuzz/rules.mk
include tests/chaos/rules.mk
include tests/load/rules.mk
include tests/root/rules.mk
include tests/arch/rules.mk

# The tests' own programs: a PAM application, a probe of what a session sees.
PROGRAMS = $(addprefix $(BUILD)/tests/programs/,host probe calls)
# The module with a function replaced, each a negative control: it waits for the init when it
# closes; it does not give the terminal back; it writes where it must not.
MUTANTS = $(addprefix $(BUILD)/tests/mutants/,waiting.so keeping.so)

$(BUILD)/tests/programs/host: tests/programs/host.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -rdynamic -o $@ $< -lpam -lcap -ldl -pthread

$(BUILD)/tests/programs/probe: tests/programs/probe.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $<

$(BUILD)/tests/mutants/%.so: $(OBJECTS) $(BUILD)/tests/mutants/%.o
	$(CC) $(CFLAGS) $(ALL_LDFLAGS) $(WRAP_$*:%=-Wl,--wrap=%) -o $@ $^ $(LIBS)

WRAP_waiting = namespaces_end
WRAP_keeping = terminal_take_back
WRAP_overflowing = namespaces_end

PAM_MODULES = pam_drop.so pam_getenv.so pam_lookup.so

$(addprefix $(BUILD)/tests/programs/,$(PAM_MODULES)): $(BUILD)/tests/programs/%.so: tests/programs/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -shared $(LDFLAGS) -o $@ $< -lpam -lcap

$(BUILD)/tests/programs/preloaded.so: tests/programs/preloaded.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -shared $(LDFLAGS) -o $@ $< -ldl

# The names of system calls and their numbers, some of which are sums, as the compiler's headers have them.
$(BUILD)/tests/programs/calls:
	@mkdir -p $(@D)
	echo '#include <sys/syscall.h>' | $(CC) $(CPPFLAGS) -E -dM - | \
		sed -n -e '1i #include <sys/syscall.h>\n' -e 's/^#define __NR_\([a-z0-9_]*\) .*/call "\1" __NR_\1/p' | \
		$(CC) $(CPPFLAGS) -E -P - | sed -n 's/^call "\(.*\)" \(.*[0-9].*\)/\1 \2/p' >$@.new
	@mv $@.new $@

programs: all $(PROGRAMS) $(MUTANTS) $(addprefix $(BUILD)/tests/programs/,$(PAM_MODULES) preloaded.so) installed

# The files of a package; where the tests run there need not be a make.
installed: all
	@rm -rf $(BUILD)/tests/installed
	@$(SUBMAKE) -s install-programs DESTDIR=$(BUILD)/tests/installed

check:
	@tests/install $(CHECK_PACKAGES)
	@echo 'building the module, the command and the tests'
	@$(SUBMAKE) -s programs $(UNIT_TESTS)
	@BUILD=$(BUILD) tests/run $(UNIT_TESTS)

locks-check:
	@tests/install $(LOCKS_PACKAGES)
	@echo 'building the module, the command and the tests'
	@$(SUBMAKE) -s programs
	@SYSTEM_TESTS="$${SYSTEM_TESTS:-tests/locks}" BUILD=$(BUILD) tests/run

monitoring-check:
	@tests/install $(MONITORING_PACKAGES)
	@echo 'building the module, the command and the tests'
	@$(SUBMAKE) -s programs
	@SYSTEM_TESTS="$${SYSTEM_TESTS:-tests/monitoring}" BUILD=$(BUILD) tests/run

demo:
	@tests/install $(DEMO_PACKAGES)
	@echo 'building the module and the command'
	@$(SUBMAKE) -s all $(BUILD)/tests/programs/probe
	@BUILD=$(BUILD) tests/sandbox tests/demo

# README's picture, from a real run.
picture:
	@tests/install $(DEMO_PACKAGES) python3
	@$(SUBMAKE) all
	@BUILD=$(BUILD) tests/sandbox tests/picture >doc/processes.svg.new
	@mv doc/processes.svg.new doc/processes.svg

# ---- for developers ------------------------------------------------------------------------

C_FILES     = $(SOURCES) $(COMMAND_SOURCES) $(wildcard tests/programs/*.c tests/mutants/*.c tests/unit/*.c tests/fuzz/*.c bench/*.c)
SHELL_FILES = $(shell grep -rlE '^#!/(bin/(ba)?sh|usr/bin/env bats)' --exclude-dir=results .ci bench debian tests) \
              $(wildcard tests/*/*.bash tests/*/*/*.bash) tests/vm/lib.sh

lint:
	@tests/install $(LINT_PACKAGES)
	clang-format --dry-run --Werror $(C_FILES) $(wildcard slurm/*.c common/*.h module/*.h init/*.h command/*.h command/*/*.h bench/*.h tests/unit/*.h tests/fuzz/*.h)
	$(SUBMAKE) BUILD=build-gcc CC=gcc CFLAGS="-O2 -g -Werror" objects
	$(SUBMAKE) BUILD=build-clang CC=clang CFLAGS="-O2 -g -Werror" objects
	$(SUBMAKE) BUILD=build-analyzer CC=gcc \
		CFLAGS="-O2 -g -Werror -fanalyzer" all
	printf '%s\n' $(SOURCES) $(COMMAND_SOURCES) | xargs -P $(NPROC) -I {} \
		clang-tidy --quiet {} -- -std=c17 -I. -D_GNU_SOURCE -Ibuild-clang $(COMMAND_CFLAGS)
	cppcheck --quiet -j $(NPROC) --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --error-exitcode=1 -I. -D_GNU_SOURCE -D__GLIBC__=2 -Ibuild-clang $(SOURCES) $(COMMAND_SOURCES)
	tests/check-imports build-gcc build-clang
	shellcheck --severity=warning --external-sources $(SHELL_FILES)
	@# what "eventually" repeats must look anew each time
	! grep -nE 'eventually (test|\[) [^|;&]*\$$\(' tests/system/*.bats tests/system/*.bash tests/vm/guest/*.bats tests/vm/life/*.ba*
	tests/check-includes --self-test
	tests/check-includes
	tests/check-manual
	tests/faults/failure_table.py
	tests/check-version --self-test
	tests/check-version build-gcc/pam-unshare
	tests/check-links --self-test
	tests/check-links
	tests/release --self-test

objects: programs $(UNIT_TESTS)

# What a packager relies on: other directories, equal builds, unit tests without root and network. As root.
build-check:
	@tests/install $(BUILD_PACKAGES) libcmocka-dev git
	@tests/build-check

# doc/releasing.md, as far as a script can go. As root.
release-check:
	@tests/release

# All of it compiled for other machines, with the headers of PAM and its like that are here; nothing is linked.
compiled: $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/fuzz/%,$(C_FILES)))

# The unit tests once more, with AddressSanitizer and UndefinedBehaviorSanitizer; and, which takes some
# minutes, the system tests of the tests' application.
SANITIZED = $(SUBMAKE) BUILD=build-asan \
	CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
sanitize:
	@tests/install $(CHECK_PACKAGES)
	@$(SANITIZED) unit-check

sanitize-system:
	@tests/install $(CHECK_PACKAGES)
	@$(SANITIZED) programs build-asan/tests/mutants/overflowing.so
	@tests/sanitize

# The unit tests alone, which need no root and change nothing.
unit-check: $(UNIT_TESTS)
	@SYSTEM_TESTS=none tests/run $(UNIT_TESTS)

# Which lines of the module the unit and system tests reach, together.
coverage:
	@tests/install $(CHECK_PACKAGES) clang llvm
	@MODULE_SOURCES="$(SOURCES)" tests/coverage

.PHONY: programs installed check locks-check monitoring-check demo picture lint build-check release-check objects compiled sanitize sanitize-system unit-check coverage

# ---- virtual machines ------------------------------------------------------------------------

# Debian guests under QEMU; SUITES="trixie forky" chooses, NEGATIVE=1 leaves the module out.
vm-check:
	@tests/install $(VM_PACKAGES)
	@tests/vm/run

# The Ansible role, on two containers of trixie, with the package.
fleet-check:
	@tests/install $(VM_PACKAGES) ansible-core bats build-essential busybox debhelper $(BUILD_PACKAGES) libcmocka-dev
	@debian/build-clean $(BUILD)/deb >/dev/null
	@SUITE=$${SUITE:-trixie} tests/vm/fleet/run $(BUILD)/deb/libpam-unshare_*.deb

# Desktops in a container of trixie, with and without the module: display managers, xrdp.
desktop-check:
	@tests/install $(VM_PACKAGES)
	@BUILD=$(BUILD) tests/vm/desktop/run

# The table of desktops in doc/compatibility.md, from the results of the last whole desktop-check.
desktop-table:
	@test -e $(BUILD)/desktop/whole
	@TABLE=desktop tests/vm/table write $(BUILD)/desktop trixie

# Slurm in containers, with and without the module, SUITES=bookworm; and limits in a guest, GUEST=0 leaves it out
slurm-check:
	@tests/install $(VM_PACKAGES)
	@tests/vm/slurm/run

# The table of doc/compatibility.md, from the results of the last vm-check, which must have been of all tests.
vm-table:
	@test "$$(cat tests/vm/results/whole)" = 'bullseye bookworm trixie forky'
	@tests/vm/table write tests/vm/results bullseye bookworm trixie forky

# The comparison of doc/alternatives.md, from the last deb-check.
compare-table:
	@sed -n 's/^# |/|/p' tests/vm/results/trixie/tap >$(BUILD)/comparison
	@test "$$(wc -l <$(BUILD)/comparison)" -ge 10
	@sed -i -e '/^<!-- Made by make compare-table/,/^<!-- end of the comparison/{/^|/d}' \
		-e '/^<!-- Made by make compare-table/r $(BUILD)/comparison' doc/alternatives.md

# doc/audit.md, from audits in guests of three suites, each booted twice.
audit-table:
	@tests/install $(VM_PACKAGES)
	@BUILD=$(BUILD) tests/vm/audit/run

# What an ordinary user finds who knows no door, in guests of three suites, each booted twice.
crawl:
	@tests/install $(VM_PACKAGES)
	@BUILD=$(BUILD) tests/vm/crawl/run

# doc/crawl.md, from what has been crawled so far.
crawl-table:
	@tests/crawl/table.py $(wildcard $(BUILD)/crawl/*) >$(BUILD)/crawl.md
	@cp $(BUILD)/crawl.md doc/crawl.md

# Lingering users at boot, and what a power-off leaves people, in containers that are booted three times; SUITES=
boot-check: $(if $(PACKAGE),deb)
	@tests/install $(VM_PACKAGES)
	@$(if $(PACKAGE),DEBS=$(BUILD)/deb) tests/vm/boot/run

# A user's life, stock and after "pam-unshare enable", in containers of the guests; PACKAGE=1 for both: of the package.
life-check: $(if $(PACKAGE),deb)
	@tests/install $(VM_PACKAGES)
	@$(if $(PACKAGE),DEBS=$(BUILD)/deb) tests/vm/life/run

# Debuggers, profilers, notebooks, mounts: stock and with the module, in containers; SUITES=
tools-check:
	@tests/install $(VM_PACKAGES)
	@tests/vm/tools/run

.PHONY: boot-check life-check tools-check crawl crawl-table desktop-check desktop-table fleet-check slurm-check vm-check vm-table compare-table audit-table
