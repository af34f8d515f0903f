# The guest itself, before the module comes into it: without these the other tests prove nothing.

here=$BATS_TEST_DIRNAME

@test "the system is up and no unit failed" {
	run systemctl is-system-running --wait
	echo "$output"
	systemctl --failed --no-legend
	[ "$output" = running ]
}

@test "sshd, cron, atd and logind are active" {
	systemctl is-active ssh cron atd systemd-logind
}

@test "a user logs in over ssh with a key" {
	run ssh -o BatchMode=yes alice@localhost id -un
	echo "$output"
	[ "$output" = alice ]
}

@test "a user logs in over ssh with the password, and not with another" {
	options="-o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1"
	run sshpass -p alice-password ssh $options alice@localhost id -un
	echo "$output"
	[ "$output" = alice ]
	run sshpass -p wrong ssh $options alice@localhost id -un
	echo "$output"
	[ "$status" -ne 0 ]
}

@test "logind knows a user's ssh session, and it goes away" {
	run ssh alice@localhost 'loginctl show-session "$XDG_SESSION_ID" -p Name --value'
	echo "$output"
	[ "$output" = alice ]
	timeout 30 sh -c 'while loginctl list-sessions --no-legend | grep alice; do sleep 0.2; done'
}

@test "a user logs in on the serial line, twice, and not with a wrong password" {
	for _ in 1 2; do
		said=$("$here/serial-login" alice alice-password 'echo "$(id -un) $(tty)"')
		echo "$said"
		[ "$said" = 'alice /dev/ttyS1' ]
	done
	run "$here/serial-login" alice wrong
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output = *'Login incorrect'* ]]
}

@test "admin may use sudo with the password, alice may not" {
	run su admin -c 'echo admin-password | sudo -S -p "" id -u'
	echo "$output"
	[ "${lines[${#lines[@]} - 1]}" = 0 ]
	run su alice -c 'echo alice-password | sudo -S -p "" id -u'
	echo "$output"
	[ "$status" -ne 0 ]
}

@test "mail to a user is delivered" {
	printf 'Subject: hello\n\nhello\n' | sendmail alice
	timeout 30 sh -c 'until grep hello /var/mail/alice; do sleep 0.2; done'
}
