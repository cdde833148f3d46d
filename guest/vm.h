/* A virtual machine of a process of ours, with KVM: its memory is a guest_memfd, its program reads one byte of it. x86 alone. */
#ifndef SYNDROME_VM_H
#define SYNDROME_VM_H

#include <stdbool.h>
#include <stdint.h>

/* How the virtual CPU came back. */
struct vm_exit {
	int result; /* of KVM_RUN */
	int error;  /* errno, where that is -1 */
	uint32_t reason; /* KVM_EXIT_… */
	unsigned char value; /* the byte, after KVM_EXIT_IO */
	uint64_t gpa, bytes; /* after KVM_EXIT_MEMORY_FAULT */
};

/* The memory of a new VM as the process itself sees it; a process has one VM. NULL with errno. */
char *vm_memory(uint64_t bytes);

/* Lets the VM read its byte at this offset, which is the guest physical address too. False with errno where there is no VM. */
bool vm_read(uint64_t offset, struct vm_exit *out);

#endif
