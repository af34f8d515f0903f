# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# LightDM with its GTK greeter and Xfce, driven by the keyboard; loaded after desktop.bash.

A=/run/lightdm/root/:0
# shellcheck disable=SC2034 # for the tests
B=/run/lightdm/root/:1

configure_lightdm() {
    virtual_x
    terminals
    # no terminals here: LightDM says 7, and logind's seat has none
    grep -q '^XDG_VTNR' /etc/security/pam_env.conf || echo 'XDG_VTNR DEFAULT=0' >>/etc/security/pam_env.conf
    mkdir -p /etc/lightdm/lightdm.conf.d
    cat >/etc/lightdm/lightdm.conf.d/50-test.conf <<-'END'
	[LightDM]
	logind-check-graphical=false
	[Seat:*]
	xserver-command=/usr/local/bin/virtual-x
	user-session=xfce
	greeter-hide-users=true
	END
}

start_lightdm() {
    systemctl reset-failed lightdm || true
    systemctl restart lightdm
}

end_lightdm() {
    systemctl stop lightdm
    end_desktops
    eventually no_display
}

no_display() {
    [ -z "$(pgrep -x Xvfb)" ] && rm -f /tmp/.X[01]-lock
}

# What it says to its own log: the part since it was started
logged() { # PATTERN
    grep -qE -- "$1" /var/log/lightdm/lightdm.log
}

# The greeter shows its question, and the keyboard is its own
asks() { # DISPLAY XAUTHORITY
    shows "$1" "$2" lightdm-gtk-greeter || return
    grep -E 'Prompt greeter with|Continue authentication|Authenticate result' /var/log/lightdm/lightdm.log | tail -n 1 | grep -q Prompt || return
    [ "$(on "$1" "$2" xdotool getwindowfocus)" -gt 1 ] # 1 is "where the pointer is"
}

questions() {
    grep -c 'Prompt greeter with' /var/log/lightdm/lightdm.log || true
}

asked_more_than() { # COUNT
    [ "$(questions)" -gt "$1" ]
}

# log_in USER [DISPLAY XAUTHORITY [PASSWORD]]: by the greeter
log_in() {
    local display=${2:-:0} authority=${3:-$A} count
    eventually asks "$display" "$authority"
    count=$(questions)
    types "$display" "$authority" "$1"
    eventually asked_more_than "$count"
    types "$display" "$authority" "${4:-$1-password}"
}
