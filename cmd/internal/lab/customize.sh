# Makes a fresh Debian tree into the lab's image: customize.sh ROOT
set -eu
root=$1

chroot "$root" useradd --create-home --shell /bin/bash deploy
printf 'deploy ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/deploy"
chmod 0440 "$root/etc/sudoers.d/deploy"

rm -f "$root"/etc/ssh/ssh_host_*
printf 'UseDNS no\nHostKey /etc/ssh/ssh_host_ed25519_key\n' \
	>"$root/etc/ssh/sshd_config.d/lab.conf"

# pam_nologin would refuse logins between sshd's start and the end of the boot.
ln -s /dev/null "$root/etc/tmpfiles.d/systemd-nologin.conf"

chroot "$root" systemctl --quiet mask \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer \
	console-getty.service getty.target getty@tty1.service \
	systemd-ask-password-console.path systemd-ask-password-wall.path \
	systemd-binfmt.service systemd-firstboot.service \
	systemd-modules-load.service systemd-pstore.service \
	systemd-update-utmp.service systemd-update-utmp-runlevel.service

rm -rf "$root"/etc/apt/sources.list* "$root"/etc/apt/apt.conf.d/99mmdebstrap \
	"$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
: >"$root/etc/machine-id"

# Newer than /usr: no first-boot work at every boot (ConditionNeedsUpdate=).
touch "$root/etc/.updated" "$root/var/.updated"
