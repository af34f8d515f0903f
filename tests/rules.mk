# SPDX-License-Identifier: MIT
# Tests and checks; included by the Makefile. What they need is installed by name.

BUILD_PACKAGES = gcc libc6-dev make pkg-config libpam0g-dev libcap-dev
CHECK_PACKAGES = $(BUILD_PACKAGES) libcmocka-dev bats openssh-server openssh-client sudo strace \
                 python3-pexpect procps iproute2 busybox libcap2-bin gawk
DEMO_PACKAGES  = $(BUILD_PACKAGES) openssh-server openssh-client procps iproute2 busybox
LINT_PACKAGES  = $(CHECK_PACKAGES) clang clang-tidy clang-format cppcheck shellcheck man-db groff

include tests/unit/rules.mk

# The tests' own programs: a PAM application, a probe of what a session sees.
PROGRAMS = $(BUILD)/tests/host $(BUILD)/tests/probe
# The module with a function replaced, each a negative control: it waits for the init when it
# closes; it does not give the terminal back.
SPOILT_MODULES = $(BUILD)/tests/pam_unshare_waiting.so $(BUILD)/tests/pam_unshare_keeping.so

$(BUILD)/tests/host: tests/host.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -rdynamic -o $@ $< -lpam -lcap -ldl -pthread

$(BUILD)/tests/probe: tests/probe.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $<

$(BUILD)/tests/pam_unshare_%.so: $(OBJECTS) $(BUILD)/tests/%.o
	$(CC) $(CFLAGS) $(ALL_LDFLAGS) $(WRAP_$*:%=-Wl,--wrap=%) -o $@ $^ $(LIBS)

WRAP_waiting = namespace_end
WRAP_keeping = terminal_take_back

$(BUILD)/tests/pam_drop.so: tests/pam_drop.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -shared $(LDFLAGS) -o $@ $< -lpam -lcap

programs: all $(PROGRAMS) $(SPOILT_MODULES) $(BUILD)/tests/pam_drop.so

check:
	@tests/install $(CHECK_PACKAGES)
	@$(MAKE) --no-print-directory programs $(UNIT_TESTS)
	@tests/run $(UNIT_TESTS)

demo:
	@tests/install $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory all $(BUILD)/tests/probe
	@tests/sandbox tests/demo

.PHONY: programs check demo
