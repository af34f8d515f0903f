#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What people do with system services, with the hardening that "pam-unshare enable" turns on: the same as on the stock
# machine. What it costs is in tests/vm/guest/80-harden.bats.

load ../guest/lib
load ../guest/inside
load lib

setup_file() {
    begin_life
    allow_alice
    printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n' >/run/systemd/system/harden-test.service
    systemctl daemon-reload
    systemctl start NetworkManager.service udisks2.service
}

teardown() {
    end_clients
}

teardown_file() {
    end_life
    rm -f /etc/polkit-1/rules.d/zz-test.rules /run/systemd/system/harden-test.service
    systemctl stop NetworkManager.service udisks2.service
    systemctl daemon-reload
}

# nobody is asked for a password
allow_alice() {
    if [ -d /etc/polkit-1/rules.d ]; then
        cat >/etc/polkit-1/rules.d/zz-test.rules <<-'END'
	polkit.addRule(function(action, subject) {
	    if (subject.user == "alice" && (action.id == "org.freedesktop.systemd1.manage-units" ||
	        action.id.indexOf("org.freedesktop.NetworkManager.") == 0)) return polkit.Result.YES;
	    if (subject.user == "bob" && action.id == "org.freedesktop.systemd1.manage-units" &&
	        subject.system_unit == "harden-asks.service") return polkit.Result.YES;
	});
	END
        chmod 644 /etc/polkit-1/rules.d/zz-test.rules
    else
        mkdir -p /etc/polkit-1/localauthority/50-local.d
        printf '[test]\nIdentity=unix-user:alice\nAction=%s\nResultAny=yes\nResultInactive=yes\nResultActive=yes\n' \
            'org.freedesktop.systemd1.manage-units;org.freedesktop.NetworkManager.*' >/etc/polkit-1/localauthority/50-local.d/zz-test.pkla
    fi
    systemctl restart polkit
}

units_by_polkit() {
    holds start login systemctl --no-ask-password start harden-test.service
    says state systemctl is-active harden-test.service
    holds stop login systemctl --no-ask-password stop harden-test.service
    says 'state after' systemctl is-active harden-test.service
}

@test "polkit: systemctl starts and stops a unit by a rule" {
    same_as_stock units_by_polkit
    said 'start: yes' 'state: active' 'stop: yes' 'state after: inactive'
}

units_by_a_unit() { # polkitd asks systemd whose process it is
    local unit
    for unit in harden-asks harden-other; do
        holds "$unit" systemd-run --quiet --wait --unit="$unit" --uid=bob -p NoNewPrivileges=yes \
            systemctl --no-ask-password start harden-test.service
    done
    holds stop systemctl stop harden-test.service
}

@test "polkit: a rule that names the unit of the one who asks (polkit 126)" {
    same_as_stock units_by_a_unit
    if [ "$(pkaction --version | tr -dc 0-9)" -ge 126 ]; then
        said 'harden-asks: yes' 'harden-other: no' 'stop: yes'
    else
        said 'harden-asks: no' 'harden-other: no' 'stop: yes'
    fi
}

own_session() {
    holds status login 'loginctl --no-pager session-status | grep alice'
    says name login 'loginctl show-session "$XDG_SESSION_ID" -p Name --value'
    holds user login 'loginctl --no-pager user-status | grep alice'
    says lock login 'loginctl lock-session 2>&1 | sed "s/session .*/session/"'
    holds inhibit login systemd-inhibit --what=idle --mode=block true
}

@test "loginctl: one's own session, and systemd-inhibit" {
    [[ ${HARDEN:-} != *logins* ]] || skip 'the part logins takes it away'
    same_as_stock own_session
    said 'status: yes' 'name: alice' 'user: yes' 'inhibit: yes'
}

network_is_told() {
    says running login nmcli -g running general status
    says permissions login "nmcli -t general permissions | grep -c ':yes'"
    holds devices login nmcli -t device
    holds add login 'nmcli connection add type dummy ifname dummy9 con-name harden-test autoconnect no'
    says connection login "nmcli -g NAME connection show | grep -x harden-test"
    holds delete login nmcli connection delete harden-test
}

@test "nmcli: asks NetworkManager, and changes it by a rule of polkit" {
    same_as_stock network_is_told
    said 'running: running' 'add: yes' 'connection: harden-test' 'delete: yes'
}

disks_are_told() {
    holds status login udisksctl status
    holds dump login 'udisksctl dump | grep org.freedesktop.UDisks2.Manager'
}

@test "udisksctl: asks udisks" {
    same_as_stock disks_are_told
    said 'status: yes' 'dump: yes'
}

# A stand-in for a desktop, on the user's bus
notified() {
    cat >/usr/local/lib/notified.py <<-'END'
	import dbus, dbus.mainloop.glib, dbus.service
	from gi.repository import GLib
	dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
	class Desktop(dbus.service.Object):
	    @dbus.service.method("org.freedesktop.Notifications", in_signature="susssasa{sv}i", out_signature="u")
	    def Notify(self, name, number, icon, summary, body, actions, hints, timeout):
	        print(summary, body, file=open("told", "w"), flush=True)
	        return 1
	    @dbus.service.method("org.freedesktop.Notifications", out_signature="ssss")
	    def GetServerInformation(self):
	        return "stand-in", "test", "1", "1.2"
	    @dbus.service.method("org.freedesktop.Notifications", out_signature="as")
	    def GetCapabilities(self):
	        return ["body"]
	name = dbus.service.BusName("org.freedesktop.Notifications", dbus.SessionBus())
	Desktop(name, "/org/freedesktop/Notifications")
	GLib.MainLoop().run()
	END
    hold_session desktop alice "cd $WORK; exec python3 /usr/local/lib/notified.py"
    LIMIT=20 holds desktop eventually ssh_as alice 'busctl --user --no-pager status org.freedesktop.Notifications'
    holds sent login notify-send --expire-time=1000 one two
    says told cat "$WORK/told"
}

@test "notify-send: from one session to a desktop of another" {
    same_as_stock notified
    said 'desktop: yes' 'sent: yes' 'told: one two'
}
