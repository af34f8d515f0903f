# SPDX-License-Identifier: MIT
# pam_unshare: see README.md. "make help" prints the lines that begin with #?.
#?
#? For users
#?   all               the module and the command (the default)
#?   demo              what alice sees in a stock and in an isolated session; as root
#?   check             the tests: unit tests, real su, real sshd, real sudo; as root
#?   install           BUILD=, DESTDIR=, PREFIX=, SECUREDIR=, SBINDIR=, SYSCONFDIR=, RUNSTATEDIR=,
#?                     STATEDIR=, HARDENDIR=, MONITORINGDIR=, UNITCONFDIR=, MANDIR=, DOCDIR=,
#?                     TMPFILESDIR=, BASHCOMPDIR=, ZSHCOMPDIR=
#?   uninstall         takes back what "pam-unshare harden" enabled, too
#?   slurm-plugin      the plugin for Slurm (doc/slurm.md); install-slurm-plugin: SLURMPLUGINDIR=
#?   bench             what a session costs; as root
#?   deb               the Debian package, in build/deb; ARCH=arm64 for another architecture, as root
#?   clean
#?
#? For packagers
#?   install-programs  what a package installs, without documents. For another architecture:
#?                     make CC=TRIPLET-gcc PKG_CONFIG=TRIPLET-pkg-config
#?   unit-check        the unit tests, which need no root and change nothing
#?   build-check       other directories, equal builds, unit-check without root; as root
#?   deb-check         the package: lintian, equal builds, its life in guests; as root
#?
#? For developers; tests/README.md describes them
#?   lint              linters, the manual, the links, the version
#?   cross             compiled for the other architectures of Debian; ARCHES=
#?   sanitize          unit tests with sanitizers; sanitize-system: system tests
#?   coverage          lines and branches that the tests reach
#?   faults            each system call fails, in each way; SCOPE=, PART=, ONLY=
#?   stops             scope=user: who is stopped at a system call keeps nobody out; PART=, ONLY=
#?   fuzz              FUZZ_SECONDS=, SEED=
#?   chaos, load       random sessions; many sessions: SCOPE=, SESSIONS=, SSH_SESSIONS=, SEED=
#?   rounds, load-users  scope=user: the last logout against the next login; many users: ROUNDS=,
#?                     USERS=, EACH=, SEED=
#?   monitoring-check  Debian's promtool on the metrics and alerts
#?   locks-check       PostgreSQL, borg and git in two sessions of one user
#?   root-check        demo and check in minimal Debian roots; ROOTS=
#?   i386-check        the tests as 32-bit programs
#?   arch-check        unit and system tests on other architectures, under QEMU; ARCHES=, SYSTEM_TESTS=
#?   arch-package      the package of another architecture, in a guest with systemd; ARCHES=
#?   desktop-check     display managers and xrdp, with real logins, in a container of trixie, and virtual
#?                     terminals in a guest; GUEST=0
#?   tools-check       what people do on clusters, in containers, and NFS and quota in a guest; SUITES=,
#?                     GUEST=0
#?   slurm-check       Slurm's daemons, jobs and ssh into them, in containers, and limits in a
#?                     guest; SUITES=, GUEST=0
#?   fleet-check       the Ansible role on two machines: containers of trixie
#?   vm-check          real applications in Debian guests; SUITES=, TESTS=, NEGATIVE=1
#?   boot-check        a boot and a power-off with "enable"; SUITES=, PACKAGE=1
#?   crawl             what a user finds who knows no door, in Debian guests; SUITES=,
#?                     CONFIGURATIONS=, CONTAINER=1
#?   bench-login       what "enable" costs a login by ssh, against stock; PAIRS=
#?   bench-words       what private= and hide= cost a session; ROUNDS=
#?   vm-table, desktop-table, arch-table, compare-table, audit-table, crawl-table, bench-full,
#?   picture           write the tables, the page and the picture of the documents
#?   release-check     the checklist of doc/releasing.md

ifeq ($(origin CC),default)
CC = cc
endif
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
PREFIX     ?= /usr
BUILD      ?= build
VERSION    := $(shell cat VERSION)

# Where PAM looks for modules: from pam.pc (Linux-PAM 1.5 and later), else the multiarch path. For another machine
# pkgconf puts that machine's tree before it.
pam_libdir := $(patsubst $(PKG_CONFIG_SYSROOT_DIR)/%,/%,$(shell $(PKG_CONFIG) --variable=libdir pam 2>/dev/null))
ifeq ($(pam_libdir),)
pam_libdir := /lib/$(shell $(CC) -print-multiarch 2>/dev/null)
endif
SECUREDIR   ?= $(pam_libdir)/security
SBINDIR     ?= $(PREFIX)/sbin
SYSCONFDIR  ?= /etc
RUNSTATEDIR ?= /run
# copies of what "pam-unshare harden" has written
STATEDIR    ?= /var/lib/pam-unshare
HARDENDIR   ?= $(PREFIX)/share/pam-unshare/hardening
# a timer that writes metrics, and alerts: for the administrator to install
MONITORINGDIR ?= $(PREFIX)/share/pam-unshare/monitoring
SLURMPLUGINDIR ?= $(PREFIX)/lib/pam-unshare
# where an administrator's drop-ins of units are
UNITCONFDIR ?= $(SYSCONFDIR)/systemd/system
MANDIR      ?= $(PREFIX)/share/man
DOCDIR      ?= $(PREFIX)/share/doc/pam_unshare
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/vendor-completions

# CFLAGS, CPPFLAGS and LDFLAGS are the caller's; what the code needs is added to them.
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wold-style-definition -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings
# a compiler for Alpha warns of it
ifeq ($(findstring alpha,$(shell $(CC) -dumpmachine 2>/dev/null)),)
HARDENING = -fstack-protector-strong
endif
HARDENING += -fstack-clash-protection
# fortified functions need optimisation, and sanitizers bring their own
ifeq ($(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS))$(findstring -fsanitize,$(CFLAGS)),)
ifneq ($(filter -O1 -O2 -O3 -Os,$(CFLAGS)),)
HARDENING += -D_FORTIFY_SOURCE=2
endif
endif
# a sanitizer's functions come from the program that loads the module
NO_UNDEFINED = $(if $(findstring -fsanitize,$(CFLAGS)),,-Wl,-z,defs)

# No PLT: the init's calls must not pass through the dynamic linker, which has data on the heap where it
# profiles or audits (LD_PROFILE, LD_AUDIT), and the init unmaps the heap (init/memory.c).
# Large files: a 32-bit fstatfs(2) fails on a file system of many terabytes.
# The same bytes wherever the sources and the build are.
ALL_CFLAGS  = -std=c17 -I. -I$(BUILD) -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(BUILD)=build -fPIC -fno-plt -MMD -MP -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARNINGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -shared -Wl,--version-script=module/pam_unshare.map -Wl,-z,relro,-z,now \
              -Wl,-z,noexecstack $(NO_UNDEFINED) -Wl,--as-needed $(LDFLAGS)
LIBS        = -lpam -lcap

# The command alone has more libraries: the module is loaded into every login, and keeps to these two.
COMMAND_PACKAGES = smartcols libsystemd
COMMAND_CFLAGS   = $(shell $(PKG_CONFIG) --cflags $(COMMAND_PACKAGES))
COMMAND_LIBS     = -lpam -lcap -ldl $(shell $(PKG_CONFIG) --libs $(COMMAND_PACKAGES))

# Each directory of code has a README.md with its rules.
COMMON_SOURCES = $(addprefix common/,mountinfo.c procfs_plan.c statmount.c)
MODULE_SOURCES = pam_unshare.c $(addprefix module/,at_fork.c cgroup_branch.c conf.c conf_read.c descriptors.c failure.c fork_guard.c host_context.c init_start.c \
                 list.c namespaces_create.c namespaces_leave.c namespaces_share.c options.c options_user.c preflight.c procfs_plan_make.c \
                 procfs_plan_mountinfo.c procfs_plan_servers.c procfs_plan_statmount.c session_log.c terminal.c \
                 user_make.c user_place.c)
INIT_SOURCES   = $(addprefix init/,end.c hidden_cgroups.c init.c watch.c members.c memory.c mount_aside.c mount_ops.c mount_path.c mount_replace.c mount_walk.c \
                 private_places.c procfs_fresh.c procfs_replace.c setup.c title.c trusted_place.c user_setup.c)
SOURCES = $(MODULE_SOURCES) $(INIT_SOURCES) $(COMMON_SOURCES)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)
# make leaves the module at the top level; other builds of it stay apart
MODULE  = $(if $(filter build,$(BUILD)),pam_unshare.so,$(BUILD)/pam_unshare.so)

# The administrator's command; it reads arguments and the configuration file as the module does.
COMMAND_SOURCES = $(addprefix command/,hold.c pam-unshare.c list.c namespace.c \
                  $(addprefix check/,applications.c check.c conf.c files.c findings.c order.c scope.c session.c view.c) \
                  $(addprefix harden/,harden.c outside.c part.c part_block.c part_file.c part_lines.c part_modes.c parts.c parts_inside.c taken.c) \
                  $(addprefix launch/,cgroup.c child.c launch.c) \
                  $(addprefix lib/,file.c isolation.c log_capture.c members.c pam_session.c pam_stack.c printable.c privacy.c sessions.c subprocess.c table.c) \
                  $(addprefix metrics/,metrics.c refused.c) \
                  $(addprefix audit/,audit.c bus_call.c context.c crontab.c decoy.c decoy_client.c fixture.c \
                  fixture_cleanup.c fixture_decoys.c fixture_manager.c fixture_namespace.c fixture_sshd.c forward.c \
                  outside_scan.c probe_runner.c probes.c probes_bus.c probes_cgroup.c \
                  probes_events.c probes_jobs.c probes_logind.c probes_logins.c probes_mail.c \
                  probes_manager.c probes_namespace.c probes_pids.c probes_proc.c \
                  probes_proc_files.c probes_procfs.c probes_programs.c probes_shared.c probes_signals.c \
                  probes_socket.c probes_systemd.c probes_unpromised.c probes_varlink.c \
                  proc_scan.c report.c servers.c session.c system_bus.c user_file.c))
# What it has of the module: the parser of arguments; and what makes a user's namespace, with the init.
OF_MODULE = $(addprefix module/,cgroup_branch.c conf.c conf_read.c descriptors.c failure.c host_context.c init_start.c list.c \
            namespaces_create.c namespaces_leave.c namespaces_share.c options.c options_user.c preflight.c procfs_plan_make.c \
            procfs_plan_mountinfo.c procfs_plan_servers.c procfs_plan_statmount.c user_make.c user_place.c)
COMMAND_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(COMMAND_SOURCES) $(OF_MODULE) $(INIT_SOURCES) $(COMMON_SOURCES))
COMMAND = $(if $(filter build,$(BUILD)),pam-unshare,$(BUILD)/pam-unshare)

all: $(MODULE) $(COMMAND)

# The plugin for Slurm, where slurm/spank.h is (Debian: libslurm-dev). Its functions are those of Slurm's names.
SLURM_PLUGIN = $(BUILD)/slurm/spank_unshare.so
slurm-plugin: $(SLURM_PLUGIN)

$(SLURM_PLUGIN): slurm/spank_unshare.c Makefile | $(BUILD)/config.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -shared -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $<

install-slurm-plugin: slurm-plugin
	$(INSTALL) -d $(DESTDIR)$(SLURMPLUGINDIR)
	$(INSTALL) -m 644 $(SLURM_PLUGIN) $(DESTDIR)$(SLURMPLUGINDIR)

help:
	@sed -n 's/^#? \{0,1\}//p' Makefile

$(MODULE): $(OBJECTS) module/pam_unshare.map
	$(CC) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS)

# Its functions of syslog(3), and nothing else, stand before those of the C library (command/lib/log_capture.h).
$(COMMAND): $(COMMAND_OBJECTS) command/pam-unshare.list
	$(CC) $(CFLAGS) -pie -Wl,--dynamic-list=command/pam-unshare.list -Wl,-z,relro,-z,now $(LDFLAGS) -Wl,--as-needed -o $@ $(COMMAND_OBJECTS) $(COMMAND_LIBS)

# The variables that the code needs. Made anew only when one of them changes. The hardening's files are found
# from where the command is, so that a tree of files works wherever it stands.
define CONFIG
/* made by the Makefile */
#define VERSION "$(VERSION)"
#define SECUREDIR "$(SECUREDIR)"
#define SYSCONFDIR "$(SYSCONFDIR)"
#define RUNSTATEDIR "$(RUNSTATEDIR)"
#define STATEDIR "$(STATEDIR)"
#define UNITCONFDIR "$(UNITCONFDIR)"
#define HARDENDIR_FROM_SBINDIR "$(shell realpath -m --relative-to='$(SBINDIR)' '$(HARDENDIR)')"
endef
$(BUILD)/config.h: export CONFIG_H := $(CONFIG)
$(BUILD)/config.h: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$CONFIG_H" >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

FORCE:

$(BUILD)/command/%.o: ALL_CFLAGS += $(COMMAND_CFLAGS)

$(BUILD)/%.o: %.c Makefile | $(BUILD)/config.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

install: install-programs
	$(INSTALL) -d $(DESTDIR)$(DOCDIR)/pam.d-examples $(DESTDIR)$(DOCDIR)/doc
	$(INSTALL) -m 644 README.md SECURITY.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 644 doc/* $(DESTDIR)$(DOCDIR)/doc
	$(INSTALL) -m 644 pam.d-examples/* $(DESTDIR)$(DOCDIR)/pam.d-examples
	$(INSTALL) -m 644 selinux/pam_unshare.cil $(DESTDIR)$(DOCDIR)

# What a package installs: it has its own way with documents. A configuration file that is there is
# the administrator's.
install-programs: all
	$(INSTALL) -d $(DESTDIR)$(SECUREDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(SYSCONFDIR)/security
	$(INSTALL) -m 644 $(MODULE) $(DESTDIR)$(SECUREDIR)
	$(INSTALL) -m 755 $(COMMAND) $(DESTDIR)$(SBINDIR)
	$(INSTALL) -d $(DESTDIR)$(HARDENDIR)
	$(INSTALL) -m 644 hardening/* $(DESTDIR)$(HARDENDIR)
	$(INSTALL) -m 644 systemd/* $(DESTDIR)$(HARDENDIR)
	sed -i 's|/usr/sbin/pam-unshare|$(SBINDIR)/pam-unshare|; s|/run/pam_unshare|$(RUNSTATEDIR)/pam_unshare|' \
		$(addprefix $(DESTDIR)$(HARDENDIR)/,$(notdir $(wildcard systemd/*)))
	$(INSTALL) -d $(DESTDIR)$(MONITORINGDIR)
	$(INSTALL) -m 644 $(wildcard monitoring/pam-unshare*) $(DESTDIR)$(MONITORINGDIR)
	sed -i 's|/usr/sbin/pam-unshare|$(SBINDIR)/pam-unshare|' $(DESTDIR)$(MONITORINGDIR)/*.service
	$(INSTALL) -m 644 man/*.8 $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	[ -e $(DESTDIR)$(SYSCONFDIR)/security/unshare.conf ] || \
		$(INSTALL) -m 644 conf/unshare.conf $(DESTDIR)$(SYSCONFDIR)/security
	$(INSTALL) -d $(DESTDIR)$(TMPFILESDIR) $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR)
	$(INSTALL) -m 644 conf/tmpfiles.conf $(DESTDIR)$(TMPFILESDIR)/pam-unshare-places.conf
	$(INSTALL) -m 644 completion/pam-unshare $(DESTDIR)$(BASHCOMPDIR)
	$(INSTALL) -m 644 completion/_pam-unshare $(DESTDIR)$(ZSHCOMPDIR)

# The lines that "harden" put into files of PAM name the module. A configuration file that somebody has
# changed stays; so does a drop-in, which would leave nobody a user manager.
uninstall:
	[ -n "$(DESTDIR)" ] || ! [ -x $(SBINDIR)/pam-unshare ] || { $(SBINDIR)/pam-unshare disable; \
		$(SBINDIR)/pam-unshare harden disable; }
	! grep -rls '^ExecStart=.*pam-unshare launch' $(DESTDIR)$(UNITCONFDIR)/user@*.service* || \
		{ echo 'pam-unshare starts the user managers of these files: remove them first' >&2; exit 1; }
	rm -f $(DESTDIR)$(SECUREDIR)/pam_unshare.so $(DESTDIR)$(SBINDIR)/pam-unshare \
		$(DESTDIR)$(MANDIR)/man8/pam_unshare.8 $(DESTDIR)$(MANDIR)/man8/pam-unshare.8 \
		$(DESTDIR)$(MANDIR)/man5/unshare.conf.5 $(DESTDIR)$(TMPFILESDIR)/pam-unshare-places.conf \
		$(DESTDIR)$(BASHCOMPDIR)/pam-unshare $(DESTDIR)$(ZSHCOMPDIR)/_pam-unshare
	! cmp -s conf/unshare.conf $(DESTDIR)$(SYSCONFDIR)/security/unshare.conf || \
		rm $(DESTDIR)$(SYSCONFDIR)/security/unshare.conf
	rm -rf $(DESTDIR)$(DOCDIR) $(DESTDIR)$(HARDENDIR) $(DESTDIR)$(MONITORINGDIR)

clean:
	rm -rf build build-* pam_unshare.so pam-unshare

# ---- tests -----------------------------------------------------------------------------------

include tests/rules.mk

# ---- the benchmark -----------------------------------------------------------------------------

include bench/rules.mk

# ---- the Debian package ------------------------------------------------------------------------

# Built in a clean tree, of what is committed or would be; the packages go to $(BUILD)/deb, those for another
# architecture, which is built as root in a root of its own, to $(BUILD)/deb-ARCH.
deb:
	@tests/install build-essential debhelper git $(BUILD_PACKAGES) libcmocka-dev $(if $(ARCH),mmdebstrap arch-test)
	@debian/build-clean $(BUILD)/deb$(ARCH:%=-%) $(ARCH)

# The packages, looked at by lintian, built once more and compared, and tested in guests; those for another
# architecture are not tested there.
deb-check: deb
	@tests/install autopkgtest diffoscope-minimal lintian $(VM_PACKAGES)
	@tests/deb-check $(BUILD)/deb$(ARCH:%=-%) $(ARCH)

.PHONY: FORCE all help slurm-plugin install-slurm-plugin install install-programs uninstall clean deb deb-check
