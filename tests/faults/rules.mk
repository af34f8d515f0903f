# SPDX-License-Identifier: MIT
# Faults injected into each system call; included by tests/rules.mk.

FAULTS_PACKAGES = $(BUILD_PACKAGES) strace python3 iproute2 busybox
FAULTS_MODULES  = $(addprefix $(BUILD)/tests/mutants/,paused.so careless.so leaking.so locking.so)

WRAP_paused   = init_main
WRAP_careless = init_main procfs_replace cover_private_places hide_cgroups
WRAP_leaking  = namespaces_leave
WRAP_locking  = namespaces_share

$(BUILD)/tests/mutants/careless.so: $(BUILD)/tests/mutants/paused.o

faults-programs: all programs $(FAULTS_MODULES)

# PART=2/10 injects each tenth case only; ONLY=REGEX those whose name it matches; SCOPE=user those of scope=user.
faults:
	@tests/install $(FAULTS_PACKAGES)
	@$(SUBMAKE) faults-programs
	@BUILD=$(BUILD) SCOPE='$(SCOPE)' PART='$(PART)' ONLY='$(ONLY)' tests/faults/inject

# Stop each step, instead: whom does it keep out? PART=, ONLY=.
stops:
	@tests/install $(FAULTS_PACKAGES)
	@$(SUBMAKE) faults-programs
	@BUILD=$(BUILD) PART='$(PART)' ONLY='$(ONLY)' tests/faults/stop

.PHONY: faults faults-programs stops
