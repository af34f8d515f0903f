# SPDX-License-Identifier: MIT
# Fuzzers of all that reads bytes, with libFuzzer; included by tests/rules.mk.

FUZZ_BUILD    = build-fuzz
FUZZ_NAMES    = members options conf mountinfo pam_stack sessions
FUZZERS       = $(FUZZ_NAMES:%=$(FUZZ_BUILD)/%_fuzz) $(FUZZ_NAMES:%=$(FUZZ_BUILD)/%_fuzz_control)
FUZZ_PACKAGES = $(BUILD_PACKAGES) clang
FUZZ_CFLAGS   = -std=c17 -I. -I$(BUILD) -D_GNU_SOURCE $(WARNINGS) -O1 -g -fno-sanitize-recover=all \
                -fsanitize=fuzzer,address,undefined

# what conf_read() would read is in the fuzzer itself
FUZZED_members   = init/end.c init/watch.c
FUZZED_options   = $(addprefix module/,conf.c failure.c list.c options.c options_user.c)
FUZZED_conf      = $(FUZZED_options)
FUZZED_mountinfo = $(wildcard module/procfs_plan_*.c common/*.c) module/failure.c
FUZZED_pam_stack = command/lib/pam_stack.c
FUZZED_sessions  = command/lib/printable.c command/lib/file.c command/lib/members.c $(addprefix module/,descriptors.c failure.c user_place.c)

define fuzzer
$(FUZZ_BUILD)/$(1)_fuzz: tests/fuzz/$(1)_fuzz.c tests/fuzz/fuzz.h $(FUZZED_$(1)) $(wildcard */*.h command/lib/*) | $(BUILD)/config.h
	@mkdir -p $$(@D)
	clang $(FUZZ_CFLAGS) -o $$@ $$< $(FUZZED_$(1))
$(FUZZ_BUILD)/$(1)_fuzz_control: tests/fuzz/$(1)_fuzz.c tests/fuzz/fuzz.h $(FUZZED_$(1)) $(wildcard */*.h command/lib/*) | $(BUILD)/config.h
	@mkdir -p $$(@D)
	clang $(FUZZ_CFLAGS) -DNEGATIVE_CONTROL -o $$@ $$< $(FUZZED_$(1))
endef
$(foreach name,$(FUZZ_NAMES),$(eval $(call fuzzer,$(name))))

# its source is in the fuzzer itself
$(FUZZ_BUILD)/members_fuzz $(FUZZ_BUILD)/members_fuzz_control: init/members.c

# FUZZ_SECONDS=3600 for a long run of each.
fuzz:
	@tests/install $(FUZZ_PACKAGES)
	@$(SUBMAKE) $(FUZZERS)
	@BUILD=$(FUZZ_BUILD) FUZZ_SECONDS='$(FUZZ_SECONDS)' SEED='$(SEED)' tests/fuzz/run $(FUZZERS)

.PHONY: fuzz
