# SPDX-License-Identifier: MIT
# Many sessions open at the same time; included by tests/rules.mk. SESSIONS=1000 of the tests'
# application, SSH_SESSIONS=200 of sshd.

LOAD_PACKAGES = $(BUILD_PACKAGES) openssh-server openssh-client procps iproute2 busybox python3

load:
	@tests/install $(LOAD_PACKAGES)
	@$(SUBMAKE) all $(BUILD)/tests/programs/host $(BUILD)/tests/programs/probe
	@BUILD=$(BUILD) SESSIONS='$(SESSIONS)' SSH_SESSIONS='$(SSH_SESSIONS)' tests/sandbox tests/load/load

# With scope=user: USERS=100, with EACH=10 sessions.
load-users:
	@tests/install $(LOAD_PACKAGES)
	@$(SUBMAKE) all $(BUILD)/tests/programs/host $(BUILD)/tests/programs/probe
	@BUILD=$(BUILD) USERS='$(USERS)' EACH='$(EACH)' SEED='$(SEED)' tests/sandbox tests/load/users

.PHONY: load load-users
