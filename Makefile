# SPDX-License-Identifier: MIT
# pam_unshare: see README.md. Targets for users: all check demo install uninstall clean;
# for developers also: lint coverage sanitize.

CC         ?= cc
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
PREFIX     ?= /usr

# Where PAM looks for modules: from pam.pc (Linux-PAM 1.5 and later), else the multiarch path.
multiarch   = $(shell $(CC) -print-multiarch 2>/dev/null)
pam_libdir := $(shell $(PKG_CONFIG) --variable=libdir pam 2>/dev/null)
ifeq ($(pam_libdir),)
pam_libdir := /lib/$(multiarch)
endif
SECUREDIR  ?= $(pam_libdir)/security
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/pam_unshare

# CFLAGS, CPPFLAGS and LDFLAGS are the caller's; what the code needs is added to them.
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wundef -Wvla \
           -Wcast-qual -Wwrite-strings
HARDENING = -fstack-protector-strong -fstack-clash-protection
ifeq ($(filter -D_FORTIFY_SOURCE% -U_FORTIFY_SOURCE%,$(CFLAGS) $(CPPFLAGS)),)
ifneq ($(filter -O1 -O2 -O3 -Os,$(CFLAGS)),)
HARDENING += -D_FORTIFY_SOURCE=2
endif
endif
ALL_CFLAGS   = -std=c17 -fPIC -MMD -MP -D_GNU_SOURCE $(WARNINGS) \
               $(HARDENING) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS  = -shared -Wl,--version-script=pam_unshare.map -Wl,-z,relro,-z,now \
               -Wl,-z,noexecstack -Wl,-z,defs -Wl,--as-needed $(LDFLAGS)
LIBS         = -lpam -lcap

SOURCES = pam_unshare.c options.c namespace.c procfs.c init.c terminal.c failure.c
OBJECTS = $(SOURCES:%.c=build/%.o)

all: pam_unshare.so

pam_unshare.so: $(OBJECTS) pam_unshare.map
	$(CC) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS)

build/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d)

clean:
	rm -rf build pam_unshare.so

.PHONY: all clean
