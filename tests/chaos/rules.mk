# SPDX-License-Identifier: MIT
# Sessions at random; included by tests/rules.mk. SESSIONS=10000 for many, SEED=N to repeat a run.
# SCOPE=user: the sessions of a user share a namespace.

CHAOS_PACKAGES = $(BUILD_PACKAGES) openssh-server openssh-client procps iproute2 busybox python3

chaos:
	@tests/install $(CHAOS_PACKAGES)
	@$(SUBMAKE) all $(BUILD)/tests/programs/host $(BUILD)/tests/programs/probe $(BUILD)/tests/mutants/unguarded.so
	@BUILD=$(BUILD) SESSIONS='$(SESSIONS)' SEED='$(SEED)' SCOPE='$(SCOPE)' tests/sandbox tests/chaos/chaos

# The last logout against the next login; ROUNDS=2000, SEED=N.
WRAP_unguarded = user_call

rounds:
	@tests/install $(CHAOS_PACKAGES)
	@$(SUBMAKE) all $(BUILD)/tests/programs/host $(BUILD)/tests/programs/probe $(BUILD)/tests/mutants/unguarded.so
	@BUILD=$(BUILD) ROUNDS='$(ROUNDS)' SEED='$(SEED)' tests/sandbox tests/chaos/rounds

.PHONY: chaos rounds
