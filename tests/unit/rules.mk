# SPDX-License-Identifier: MIT
# The unit tests; included by the Makefile, whose rule for $(BUILD)/%.o compiles them.

UNIT_TESTS = $(BUILD)/tests/unit/failure_test $(BUILD)/tests/unit/options_test \
             $(BUILD)/tests/unit/mountinfo_test $(BUILD)/tests/unit/session_test \
             $(BUILD)/tests/unit/pam_stack_test $(BUILD)/tests/unit/proc_scan_test \
             $(BUILD)/tests/unit/file_test $(BUILD)/tests/unit/conf_test \
             $(BUILD)/tests/unit/members_test $(BUILD)/tests/unit/cgroup_test \
             $(BUILD)/tests/unit/outside_test $(BUILD)/tests/unit/memory_test

# What a test needs of the project; everything else that the project calls is in the test itself.
$(BUILD)/tests/unit/failure_test: $(BUILD)/module/failure.o
OPTIONS = $(addprefix $(BUILD)/module/,conf.o failure.o list.o options.o options_user.o)
$(BUILD)/tests/unit/options_test: $(OPTIONS) $(BUILD)/tests/unit/recorded_log.o
$(BUILD)/tests/unit/conf_test: $(addprefix $(BUILD)/module/,conf.o conf_read.o failure.o)
PLAN = $(patsubst %,$(BUILD)/%.o,module/procfs_plan_make module/procfs_plan_mountinfo module/procfs_plan_servers \
       module/procfs_plan_statmount common/mountinfo common/procfs_plan common/statmount module/failure)
$(BUILD)/tests/unit/mountinfo_test: $(PLAN)
$(BUILD)/tests/unit/session_test: $(BUILD)/pam_unshare.o $(BUILD)/module/session_log.o $(OPTIONS) $(BUILD)/tests/unit/recorded_log.o
$(BUILD)/tests/unit/pam_stack_test: $(BUILD)/command/lib/pam_stack.o
$(BUILD)/tests/unit/proc_scan_test: $(BUILD)/command/audit/proc_scan.o $(BUILD)/command/audit/context.o \
	$(BUILD)/command/lib/file.o $(BUILD)/command/lib/printable.o
$(BUILD)/tests/unit/file_test: $(BUILD)/command/lib/file.o
$(BUILD)/tests/unit/members_test: $(addprefix $(BUILD)/command/lib/,file.o members.o printable.o sessions.o)
$(BUILD)/tests/unit/cgroup_test: $(BUILD)/command/launch/cgroup.o $(BUILD)/command/lib/file.o $(BUILD)/module/failure.o
$(BUILD)/tests/unit/outside_test: $(BUILD)/command/harden/outside.o
$(BUILD)/tests/unit/memory_test: $(BUILD)/init/memory.o

# Functions of the C library that a test makes fail. A fortified read(2) has another name, and mmap(2)
# of large files where they are not all large, on 32-bit architectures.
comma := ,
wrap   = $(addprefix -Wl$(comma)--wrap=,$(1))
$(BUILD)/tests/unit/mountinfo_test: \
	WRAPPED = $(call wrap,malloc calloc realloc reallocarray free read __read_chk)
$(BUILD)/tests/unit/members_test: WRAPPED = \
	$(call wrap,opendir readdir readdir64 closedir clock_gettime __clock_gettime64 pid_of_pidfd)
$(BUILD)/tests/unit/memory_test: WRAPPED = $(call wrap,getauxval)
$(BUILD)/tests/unit/session_test: WRAPPED = $(call wrap,mmap mmap64 munmap madvise)

$(UNIT_TESTS): %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAPPED) -o $@ $(filter %.o,$^) -lcmocka

-include $(wildcard $(BUILD)/tests/unit/*.d)
