/* SPDX-License-Identifier: MIT */
#include "title.h"

#include "init.h"
#include "init_calls.h"

#include <string.h>
#include <sys/prctl.h>

/*
 * PR_SET_MM_ARG_START and its kin need CAP_SYS_RESOURCE. PR_SET_MM_MAP needs nothing but a sound
 * layout (validate_prctl_map_addr()), and the text must not be in a mapping of a file. What it says
 * of code, data, heap and stack is for /proc and for brk(2), which nobody calls here: it need not
 * be true, and to read the true values would take longer than all the rest. Data and heap of no
 * size pass any RLIMIT_DATA.
 *
 * The structure has a pointer before its last two members. A 32-bit program does not know whether
 * its kernel has 32 or 64 bits: the wrong one answers EINVAL.
 */
void set_title(const char *title)
{
	const __u64 code = (__u64)(uintptr_t)init_main, text = (__u64)(uintptr_t)title;
	struct prctl_mm_map map = {.start_code = code,
		.end_code = code + 1,
		.start_data = code,
		.end_data = code,
		.start_brk = code + 1,
		.brk = code + 1,
		.start_stack = code,
		.arg_start = text,
		.arg_end = text + strlen(title) + 1,
		.exe_fd = (__u32)-1};
	struct {
		__u64 addresses[11], auxv;
		__u32 auxv_size, exe_fd;
	} of_64_bits = {.exe_fd = (__u32)-1};

	map.env_start = map.env_end = map.arg_end;
	if (syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0UL) == 0 ||
		sizeof(void *) == sizeof(__u64))
		return;
	memcpy(of_64_bits.addresses, &map, sizeof(of_64_bits.addresses));
	(void)syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &of_64_bits, sizeof(of_64_bits), 0UL);
}
