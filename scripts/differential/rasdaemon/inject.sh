#!/bin/sh
# In the guest: gives each line of /records (bank status addr misc synd ipid) to mce-inject as a record of software. The kernel has
# room for 80 records that nobody read yet: after each 32, and at the end, rasdaemon has to have printed them.
# What the kernel prints of each on its console takes more time than all the rest.
echo 0 > /proc/sys/kernel/printk
cd /sys/kernel/debug/mce-inject || exit 1
echo sw > flags || exit 1
n=0
read_by_rasdaemon() {
	until [ "$(grep -c ' mce_record 2' /run/rasdaemon.log)" -ge "$n" ]; do usleep 20000; done
}
while read -r bank status addr misc synd ipid; do
	echo "$status" > status && echo "$addr" > addr && echo "$misc" > misc && echo 0 > cpu || exit 1
	if [ "$ipid" != 0x0 ]; then echo "$synd" > synd && echo "$ipid" > ipid || exit 1; fi
	echo "$bank" > bank || exit 1
	n=$((n + 1))
	[ $((n % 32)) != 0 ] || read_by_rasdaemon
done < /records
read_by_rasdaemon
