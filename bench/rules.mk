# SPDX-License-Identifier: MIT
# The benchmark; included by the Makefile. Results go to bench/: README.md, results.json, plots.

BENCH_PACKAGES = $(BUILD_PACKAGES) openssh-server openssh-client procps iproute2 busybox \
                 bubblewrap gnuplot-nox python3

BENCH_SOURCES = $(addprefix bench/,bench.c commands.c crowd.c floor.c fresh.c held.c inits.c latency.c measure.c parts.c session.c)

# It has the module's libraries, as an application that has loaded the module.
$(BUILD)/bench/bench: $(BENCH_SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/common/statmount.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -lpam -lcap

$(BUILD)/bench/pam_floor.so: $(addprefix $(BUILD)/bench/,pam_floor.o floor.o measure.o)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-z,relro,-z,now -o $@ $(filter %.o,$^)

# A few minutes; as root.
bench:
	@tests/install $(BENCH_PACKAGES)
	@$(SUBMAKE) programs $(BUILD)/bench/bench $(BUILD)/bench/pam_floor.so
	@BUILD=$(BUILD) FULL=$(FULL) bench/run

# The long curves: five minutes.
bench-full:
	@$(MAKE) --no-print-directory bench FULL=1

# What private= and hide= cost a session; ROUNDS=150.
bench-words:
	@tests/install $(BENCH_PACKAGES)
	@$(SUBMAKE) programs $(BUILD)/bench/bench
	@BUILD=$(BUILD) bench/words $(ROUNDS)

# What "pam-unshare enable" costs a login by ssh, in two containers of the trixie guest; PAIRS=200.
bench-login:
	@tests/install $(VM_PACKAGES) python3
	@bench/login $(PAIRS)

.PHONY: bench bench-full bench-login bench-words
