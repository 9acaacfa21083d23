/* SPDX-License-Identifier: Apache-2.0
 *
 * under_unit FILE PROGRAM...: runs a program under the filter that systemd makes of a unit: only the system calls named
 * in FILE, one a line, all others fail with EPERM; no memory that is written and run; no namespaces; no sockets but of
 * the network and of this machine; no new privileges. For tests where no systemd runs. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
	char name[128];
	FILE *list = argc > 2 ? fopen(argv[1], "r") : NULL;
	scmp_filter_ctx all = seccomp_init(SCMP_ACT_ERRNO(EPERM)), some = seccomp_init(SCMP_ACT_ALLOW);
	unsigned n = 0;
	if (!list || !all || !some) {
		fprintf(stderr, "under_unit: no list of system calls\n");
		return 70;
	}
	while (fgets(name, sizeof name, list)) {
		name[strcspn(name, "\n")] = 0;
		int number = seccomp_syscall_resolve_name(name);
		if (number != __NR_SCMP_ERROR) { /* others are of newer kernels, or of other machines */
			n += seccomp_rule_add(all, SCMP_ACT_ALLOW, number, 0) == 0;
		}
	}
	fclose(list);
	/* MemoryDenyWriteExecute= */
	int bad = seccomp_rule_add(some, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC | PROT_WRITE));
	bad |= seccomp_rule_add(
		some, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	bad |= seccomp_rule_add(
		some, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(pkey_mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	/* RestrictNamespaces= */
	bad |= seccomp_rule_add(some, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0);
	bad |= seccomp_rule_add(some, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setns), 0);
	static const unsigned long spaces[] = {
		CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		bad |= seccomp_rule_add(
			some, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
	}
	/* RestrictAddressFamilies= */
	bad |= seccomp_rule_add(some, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0));
	bad |= seccomp_rule_add(some, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));
	if (bad || n < 100 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || seccomp_load(some) || seccomp_load(all)) {
		fprintf(stderr, "under_unit: the filter cannot be loaded (%u system calls)\n", n);
		return 70;
	}
	seccomp_release(all);
	seccomp_release(some);
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 70;
}
