#define _GNU_SOURCE

#include "vm.h"

#include <errno.h>

#ifdef __x86_64__

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/kvm.h since 6.8; older headers lack them, and the flags came later */
struct guest_memfd {
	uint64_t size, flags, reserved[6];
};
struct memory_region2 {
	uint32_t slot, flags;
	uint64_t gpa, bytes, virt, offset;
	uint32_t fd, pad1;
	uint64_t pad2[14];
};
#define CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct guest_memfd)
#define SET_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct memory_region2)
#define MEMFD_MMAP_SHARED 3u /* GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED */
#define REGION_GUEST_MEMFD 4u
#define EXIT_MEMORY_FAULT 39u
/* struct kvm_run: what follows the registers, of every kind of exit */
#define EXIT_DATA 32

#define PARAGRAPH 16
#define REAL_MODE_BYTES (1ull << 20)

static struct {
	int cpu; /* 0 as long as there is none */
	char *memory;
	uint64_t bytes;
	struct kvm_run *run;
} vm;

/* ioctl(2) takes an int in one C library and a long in another, and these requests have the highest bit of an int. */
static int kvm(int fd, unsigned long request, const void *argument)
{
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* A virtual CPU for a VM whose memory is there. Its file descriptor; -1 with errno. */
static int add_cpu(int system, int machine)
{
	int bytes = kvm(system, KVM_GET_VCPU_MMAP_SIZE, NULL);
	int cpu = kvm(machine, KVM_CREATE_VCPU, NULL);
	void *run;

	if (bytes < 0 || cpu < 0)
		return -1;
	run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED)
		return -1;
	vm.run = run;
	return cpu;
}

char *vm_memory(uint64_t bytes)
{
	struct guest_memfd memory = {.size = bytes, .flags = MEMFD_MMAP_SHARED};
	struct memory_region2 region = {.flags = REGION_GUEST_MEMFD, .bytes = bytes};
	int system, machine, fd;
	char *p;

	if (vm.cpu != 0 || bytes > REAL_MODE_BYTES) {
		errno = vm.cpu != 0 ? EBUSY : EFBIG;
		return NULL;
	}
	system = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (system < 0)
		return NULL;
	machine = kvm(system, KVM_CREATE_VM, NULL);
	fd = machine < 0 ? -1 : kvm(machine, CREATE_GUEST_MEMFD, &memory);
	if (fd < 0)
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	region.virt = (uint64_t)(uintptr_t)p;
	region.fd = (uint32_t)fd;
	if (kvm(machine, SET_MEMORY_REGION2, &region) != 0 || (vm.cpu = add_cpu(system, machine)) < 0) {
		int error = errno;

		vm.cpu = 0;
		munmap(p, bytes);
		errno = error;
		return NULL;
	}
	vm.memory = p;
	vm.bytes = bytes;
	return p;
}

/* Starts the CPU anew in real mode at address 0, where it finds: ds = offset / 16; al = [offset % 16]; out 0x10, al. */
static bool start_at(uint64_t offset)
{
	const unsigned segment = (unsigned)(offset / PARAGRAPH), within = (unsigned)(offset % PARAGRAPH);
	const unsigned char program[] = {0xb8, (unsigned char)segment, (unsigned char)(segment >> 8), /* mov ax, segment */
					 0x8e, 0xd8,						/* mov ds, ax */
					 0xa0, (unsigned char)within, 0,			/* mov al, [within] */
					 0xe6, 0x10};						/* out 0x10, al */
	struct kvm_regs registers = {.rflags = 2};
	struct kvm_sregs system;

	memcpy(vm.memory, program, sizeof(program));
	if (kvm(vm.cpu, KVM_GET_SREGS, &system) != 0)
		return false;
	system.cs.base = 0;
	system.cs.selector = 0;
	return kvm(vm.cpu, KVM_SET_SREGS, &system) == 0 && kvm(vm.cpu, KVM_SET_REGS, &registers) == 0;
}

bool vm_read(uint64_t offset, struct vm_exit *out)
{
	const char *data;

	memset(out, 0, sizeof(*out));
	if (vm.cpu == 0 || offset >= vm.bytes) {
		errno = vm.cpu == 0 ? ENXIO : EINVAL;
		return false;
	}
	if (!start_at(offset))
		return false;
	do
		out->result = kvm(vm.cpu, KVM_RUN, NULL);
	while (out->result != 0 && errno == EINTR);
	out->error = out->result == 0 ? 0 : errno;
	out->reason = vm.run->exit_reason;
	data = (const char *)vm.run;
	if (out->reason == KVM_EXIT_IO) {
		out->value = (unsigned char)data[vm.run->io.data_offset];
	} else if (out->reason == EXIT_MEMORY_FAULT) {
		/* flags, gpa, size */
		memcpy(&out->gpa, data + EXIT_DATA + 8, sizeof(out->gpa));
		memcpy(&out->bytes, data + EXIT_DATA + 16, sizeof(out->bytes));
	}
	return true;
}

#else

char *vm_memory(uint64_t bytes)
{
	(void)bytes;
	errno = EOPNOTSUPP;
	return 0;
}

bool vm_read(uint64_t offset, struct vm_exit *out)
{
	(void)offset;
	(void)out;
	errno = EOPNOTSUPP;
	return false;
}

#endif
