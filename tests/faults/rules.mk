# SPDX-License-Identifier: MIT
# Faults injected into each system call; included by tests/rules.mk.

FAULTS_PACKAGES = $(BUILD_PACKAGES) strace python3 iproute2 busybox
FAULTS_MODULES  = $(addprefix $(BUILD)/tests/faults/,paused.so careless.so leaking.so)

WRAP_faults_paused   = init_main
WRAP_faults_careless = init_main procfs_replace
WRAP_faults_leaking  = namespace_leave

$(BUILD)/tests/faults/careless.so: $(BUILD)/tests/faults/paused.o
$(FAULTS_MODULES): $(BUILD)/tests/faults/%.so: $(OBJECTS) $(BUILD)/tests/faults/%.o
	$(CC) $(CFLAGS) $(ALL_LDFLAGS) $(WRAP_faults_$*:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) $(LIBS)

# PART=2/10 injects each tenth case only; ONLY=REGEX those whose name it matches.
faults:
	@tests/install $(FAULTS_PACKAGES)
	@$(MAKE) --no-print-directory all $(BUILD)/tests/host $(BUILD)/tests/probe $(FAULTS_MODULES)
	@BUILD=$(BUILD) PART='$(PART)' ONLY='$(ONLY)' tests/faults/inject

.PHONY: faults
