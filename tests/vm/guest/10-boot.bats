# The guest itself, before the module comes into it. That people can log in and mail is delivered is
# what the negative controls of the other tests show.

@test "the system is up and no unit failed" {
	run systemctl is-system-running --wait
	echo "$output"
	systemctl --failed --no-legend
	[ "$output" = running ]
}

@test "sshd, cron, atd and logind are active" {
	systemctl is-active ssh cron atd systemd-logind
}

@test "admin may use sudo with the password, alice may not" {
	run su admin -c 'echo admin-password | sudo -S -p "" id -u'
	echo "$output"
	[ "${lines[${#lines[@]} - 1]}" = 0 ]
	run su alice -c 'echo alice-password | sudo -S -p "" id -u'
	echo "$output"
	[ "$status" -ne 0 ]
}
