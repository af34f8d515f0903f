# SPDX-License-Identifier: MIT
# pam_unshare: see README.md. For users: all check demo install uninstall deb clean; for developers
# also: lint sanitize coverage.

ifeq ($(origin CC),default)
CC = cc
endif
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
PREFIX     ?= /usr
BUILD      ?= build

# Where PAM looks for modules: from pam.pc (Linux-PAM 1.5 and later), else the multiarch path.
pam_libdir := $(shell $(PKG_CONFIG) --variable=libdir pam 2>/dev/null)
ifeq ($(pam_libdir),)
pam_libdir := /lib/$(shell $(CC) -print-multiarch 2>/dev/null)
endif
SECUREDIR  ?= $(pam_libdir)/security
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/pam_unshare

# CFLAGS, CPPFLAGS and LDFLAGS are the caller's; what the code needs is added to them.
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wold-style-definition -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings
HARDENING = -fstack-protector-strong -fstack-clash-protection
# fortified functions need optimisation, and sanitizers bring their own
ifeq ($(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS))$(findstring -fsanitize,$(CFLAGS)),)
ifneq ($(filter -O1 -O2 -O3 -Os,$(CFLAGS)),)
HARDENING += -D_FORTIFY_SOURCE=2
endif
endif
# a sanitizer's functions come from the program that loads the module
NO_UNDEFINED = $(if $(findstring -fsanitize,$(CFLAGS)),,-Wl,-z,defs)

ALL_CFLAGS  = -std=c17 -fPIC -MMD -MP -D_GNU_SOURCE $(WARNINGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -shared -Wl,--version-script=pam_unshare.map -Wl,-z,relro,-z,now \
              -Wl,-z,noexecstack $(NO_UNDEFINED) -Wl,--as-needed $(LDFLAGS)
LIBS        = -lpam -lcap

SOURCES = pam_unshare.c options.c namespace.c procfs.c init.c terminal.c failure.c
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)
# make leaves the module at the top level; other builds of it stay apart
MODULE  = $(if $(filter build,$(BUILD)),pam_unshare.so,$(BUILD)/pam_unshare.so)

all: $(MODULE)

$(MODULE): $(OBJECTS) pam_unshare.map
	$(CC) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(wildcard $(BUILD)/*.d $(BUILD)/tests/*.d)

install: install-module
	$(INSTALL) -d $(DESTDIR)$(DOCDIR)/pam.d-examples
	$(INSTALL) -m 644 README.md SECURITY.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 644 pam.d-examples/* $(DESTDIR)$(DOCDIR)/pam.d-examples

# What a package installs: it has its own way with documents.
install-module: all
	$(INSTALL) -d $(DESTDIR)$(SECUREDIR) $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 644 pam_unshare.so $(DESTDIR)$(SECUREDIR)
	$(INSTALL) -m 644 pam_unshare.8 $(DESTDIR)$(MANDIR)/man8

uninstall:
	rm -f $(DESTDIR)$(SECUREDIR)/pam_unshare.so $(DESTDIR)$(MANDIR)/man8/pam_unshare.8
	rm -rf $(DESTDIR)$(DOCDIR)

clean:
	rm -rf build build-* pam_unshare.so

# ---- tests -----------------------------------------------------------------------------------

include tests/rules.mk

# ---- the Debian package ------------------------------------------------------------------------

# Built in a clean tree, of what is committed or would be; the packages go to $(BUILD)/deb.
deb:
	@tests/install build-essential debhelper git $(BUILD_PACKAGES) libcmocka-dev
	@debian/build-clean $(BUILD)/deb

.PHONY: all install install-module uninstall clean deb
