# SPDX-License-Identifier: MIT
# The benchmark; included by the Makefile. Results go to bench/: README.md, results.json, plots.

BENCH_PACKAGES = $(BUILD_PACKAGES) openssh-server openssh-client procps iproute2 busybox \
                 bubblewrap gnuplot-nox python3

$(BUILD)/bench/bench: bench/bench.c $(BUILD)/common/statmount.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lpam -lcap

# A few minutes; as root.
bench:
	@tests/install $(BENCH_PACKAGES)
	@$(SUBMAKE) programs $(BUILD)/bench/bench
	@BUILD=$(BUILD) FULL=$(FULL) bench/run

# The long curves: five minutes.
bench-full:
	@$(MAKE) --no-print-directory bench FULL=1

.PHONY: bench bench-full
