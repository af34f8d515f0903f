# shellcheck shell=bash
# lib.sh: boots one guest of the virtual machine tier and talks to it. For bash; source it, then:
#
#   vm_boot DIRECTORY RESULTS       boots the image that "image SUITE" printed; the console and the
#                                   journal go to RESULTS/console and RESULTS/journal as they come
#   guest COMMAND [ARGUMENT...]     runs it in the guest as root, at most VM_GUEST_LIMIT seconds
#   guest_put FILE... DIRECTORY     copies into the guest, guest_get FILE... DIRECTORY out of it
#   vm_poweroff                     powers off in an orderly way, vm_seconds is how long it took
#   vm_kill                         ends it whatever state it is in
#
# The guest's ttyS1, where a getty waits, is the socket $vm_dir/ttyS1 here and /run/ttyS1.socket in
# the guest: one client at a time. VM_SMP is its number of processors, VM_CMDLINE is added to its kernel's
# command line, VM_ACCEL (kvm or tcg) makes the search for an accelerator unnecessary.
#
# Whoever sources this must have "trap vm_kill EXIT", and "trap 'exit 143' TERM INT HUP".

vm_pid=
vm_ssh_pid=
vm_dir=
vm_seconds=

# In the background and waited for: bash runs a trap during wait, but not during a foreground command.
vm_interruptible() {
	local pid status=0
	"$@" <&0 &
	pid=$!
	wait "$pid" || status=$?
	return $status
}

# That /dev/kvm exists, and even that QEMU opens it, does not mean that a guest runs. This one's
# kernel starts a program that ends at once; it panics, and the panic is the proof.
vm_accelerator() {
	local directory=$1 said
	said=$(timeout -k 1 20 qemu-system-x86_64 -accel kvm -cpu host -m 512 -nodefaults -no-reboot \
		-display none -serial stdio -kernel "$directory/vmlinuz" -initrd "$directory/initrd.img" \
		-append 'console=ttyS0 panic=-1 rdinit=/bin/true' </dev/null 2>/dev/null) || true
	case $said in
	*'Kernel panic'*) echo kvm ;;
	*) echo tcg ;;
	esac
}

vm_boot() {
	local directory=$1 results=$2 cmdline arguments started=$SECONDS
	mkdir -p "$results"
	: >"$results/ssh"
	vm_dir=$(mktemp -d "${TMPDIR:-/tmp}/vm.XXXXXX") # short, for the sockets' sake
	: "${VM_ACCEL:=$(vm_accelerator "$directory")}"

	# From loglevel 5 on the console shows warnings. A panic ends the guest. On a busy machine without
	# KVM a device may need more than systemd's minute and a half.
	cmdline='root=/dev/vda rw fsck.mode=skip net.ifnames=0 console=ttyS0 loglevel=5 panic=-1'
	cmdline+=' mitigations=off systemd.default_timeout_start_sec=300'
	cmdline+=' systemd.default_device_timeout_sec=300'
	cmdline+=${VM_CMDLINE:+ $VM_CMDLINE}
	# shellcheck disable=SC2054 # QEMU's commas
	arguments=(
		-nodefaults -no-user-config -no-reboot -display none -m 1G -smp "${VM_SMP:-2}"
		-kernel "$directory/vmlinuz" -initrd "$directory/initrd.img"
		-append "$cmdline"
		-drive "file=$directory/root.img,format=raw,if=virtio,snapshot=on,cache=unsafe"
		# The guest reaches nothing, and only this machine reaches it, on a port that the kernel picks.
		-netdev 'user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22'
		-device 'virtio-net-pci,netdev=net'
		-device 'virtio-rng-pci'
		-chardev "file,id=console,path=$results/console" -serial chardev:console
		-chardev "socket,id=login,path=$vm_dir/ttyS1,server=on,wait=off" -serial chardev:login
		-device 'virtio-serial-pci'
		-chardev "file,id=journal,path=$results/journal" -device virtconsole,chardev=journal
		-chardev 'stdio,id=ready,signal=off' -device virtconsole,chardev=ready
	)
	case $VM_ACCEL in
	kvm) arguments+=(-accel kvm -cpu host) ;;
	# QEMU 7.2's cmpxchg16b is broken: kernels from 6.12 on oops on it.
	*) arguments+=(-accel 'tcg,thread=multi' -cpu 'max,-cx16') ;;
	esac

	# The pipe is where the guest says "ready", and it ends when QEMU does. QEMU dies with this shell,
	# even when that has no chance to run its trap.
	exec {vm_ready}< <(exec setpriv --pdeathsig KILL \
		qemu-system-x86_64 "${arguments[@]}" </dev/null 2>"$results/qemu")
	vm_pid=$!
	if ! read -r -t "${VM_BOOT_LIMIT:-300}" _ <&"$vm_ready"; then
		echo "the guest was not ready after $((SECONDS - started)) s" >&2
		return 1
	fi
	vm_connect "$directory" "$results"
}

# One connection for all commands: a handshake takes a second without KVM.
vm_connect() {
	local directory=$1 results=$2 port
	port=$(ss -Hltnp | sed -n "s/.* 127\.0\.0\.1:\([0-9]*\) .*pid=$vm_pid,.*/\1/p")
	cat >"$vm_dir/ssh_config" <<-END
		Host guest
			HostName 127.0.0.1
			Port $port
			User root
			HostKeyAlias guest
			UserKnownHostsFile "$directory/known_hosts"
			IdentityFile "$directory/id_ed25519"
			IdentitiesOnly yes
			BatchMode yes
			LogLevel ERROR
			ConnectTimeout 120
			ServerAliveInterval 30
			ServerAliveCountMax 40
			ControlPath "$vm_dir/ssh"
	END
	# Like QEMU it dies with this shell. It says a line when it is connected, and ends when it cannot be.
	exec {vm_master}< <(exec setpriv --pdeathsig KILL ssh -F "$vm_dir/ssh_config" -M -N \
		-o PermitLocalCommand=yes -o LocalCommand='echo connected' \
		-R "/run/ttyS1.socket:$vm_dir/ttyS1" guest </dev/null 2>"$results/ssh")
	vm_ssh_pid=$!
	read -r -t 150 _ <&"$vm_master" || {
		echo 'no ssh connection to the guest' >&2
		return 1
	}
}

# ssh passes one string to a shell: quote, so that the guest's command has exactly these arguments.
guest() {
	vm_interruptible timeout -k 5 "${VM_GUEST_LIMIT:-120}" \
		ssh -F "$vm_dir/ssh_config" guest "$(printf '%q ' "$@")"
}

guest_put() {
	local files=("${@:1:$#-1}")
	vm_interruptible timeout -k 5 "${VM_GUEST_LIMIT:-120}" \
		scp -q -r -F "$vm_dir/ssh_config" "${files[@]}" "guest:${!#}"
}

guest_get() {
	local files=("${@:1:$#-1}")
	vm_interruptible timeout -k 5 "${VM_GUEST_LIMIT:-120}" \
		scp -q -r -F "$vm_dir/ssh_config" "${files[@]/#/guest:}" "${!#}"
}

# Sets vm_seconds. Fails when the guest is not off after VM_POWEROFF_LIMIT seconds, and leaves it then.
vm_poweroff() {
	local started=${EPOCHREALTIME/./} status=0
	guest systemctl --no-block poweroff 2>/dev/null || true
	# What ends the pipe is the end of QEMU.
	read -r -d '' -t "${VM_POWEROFF_LIMIT:-150}" _ <&"$vm_ready" || status=$?
	[ $status -le 128 ] || return 1
	wait "$vm_pid" || return 1
	vm_pid=
	# shellcheck disable=SC2034 # for the caller
	vm_seconds=$(((${EPOCHREALTIME/./} - started) / 1000000))
}

vm_kill() {
	local pid
	for pid in $vm_pid $vm_ssh_pid; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	vm_pid=
	vm_ssh_pid=
	[ -z "$vm_dir" ] || rm -rf "$vm_dir"
	vm_dir=
}
