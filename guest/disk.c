#define _GNU_SOURCE

#include "disk.h"

#include "io.h"
#include "line.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* include/uapi/linux/loop.h */
#define LOOP_SET_FD 0x4C00
#define LOOP_CTL_GET_FREE 0x4C82

/*
 * The smallest second extended file system with one file, in 64 blocks of 4 KiB and one group.
 * Source: Linux Documentation/filesystems/ext4, data structures.
 */
#define BLOCK 4096u
#define BLOCKS 64u
#define INODES 32u
#define INODE_BYTES 128u
#define ROOT_INODE 2u
#define FILE_INODE 11u
enum block { AT_GROUPS = 1, AT_BLOCK_BITMAP, AT_INODE_BITMAP, AT_INODES, AT_ROOT, AT_FILE };
#define USED_BLOCKS ((unsigned)AT_FILE + DISK_FILE_PAGES)

static unsigned char image[BLOCKS * BLOCK];

static void le16(size_t at, unsigned value)
{
	image[at] = (unsigned char)value;
	image[at + 1] = (unsigned char)(value >> 8);
}

static void le32(size_t at, unsigned value)
{
	le16(at, value & 0xffff);
	le16(at + 2, value >> 16);
}

/* The first bits are in use; bits beyond the last are none and count as used. */
static void bitmap(enum block block, unsigned used, unsigned of)
{
	unsigned char *bits = image + (size_t)block * BLOCK;

	memset(bits, 0xff, BLOCK);
	for (unsigned i = used; i < of; i++)
		bits[i / 8] &= (unsigned char)~(1u << i % 8);
}

static void inode(unsigned number, unsigned mode, unsigned links, enum block first, unsigned blocks)
{
	size_t at = (size_t)AT_INODES * BLOCK + (size_t)(number - 1) * INODE_BYTES;

	le16(at, mode);
	le32(at + 4, blocks * BLOCK);
	le16(at + 26, links);
	le32(at + 28, blocks * (BLOCK / 512));
	for (unsigned i = 0; i < blocks; i++)
		le32(at + 40 + (size_t)i * 4, (unsigned)first + i);
}

/* Where the next entry goes. */
static size_t entry(size_t at, unsigned number, unsigned length, unsigned type, const char *name)
{
	le32(at, number);
	le16(at + 4, length);
	image[at + 6] = (unsigned char)strlen(name);
	image[at + 7] = (unsigned char)type;
	memcpy(image + at + 8, name, strlen(name));
	return at + length;
}

static void make_image(void)
{
	const size_t super = 1024;
	const size_t group = (size_t)AT_GROUPS * BLOCK;
	size_t at = (size_t)AT_ROOT * BLOCK;

	memset(image, 0, sizeof(image));
	le32(super, INODES);
	le32(super + 4, BLOCKS);
	le32(super + 12, BLOCKS - USED_BLOCKS);
	le32(super + 16, INODES - FILE_INODE);
	le32(super + 24, 2); /* 1 KiB << 2 */
	le32(super + 28, 2);
	le32(super + 32, BLOCK * 8);
	le32(super + 36, BLOCK * 8);
	le32(super + 40, INODES);
	le16(super + 54, 0xffff);
	le16(super + 56, 0xEF53);
	le16(super + 58, 1); /* clean */
	le16(super + 60, 1); /* go on after an error */
	le32(super + 76, 1); /* revision with the fields below */
	le32(super + 84, FILE_INODE);
	le16(super + 88, INODE_BYTES);
	le32(super + 96, 2); /* incompatible: types in directory entries */
	le32(group, AT_BLOCK_BITMAP);
	le32(group + 4, AT_INODE_BITMAP);
	le32(group + 8, AT_INODES);
	le16(group + 12, BLOCKS - USED_BLOCKS);
	le16(group + 14, INODES - FILE_INODE);
	le16(group + 16, 1);
	bitmap(AT_BLOCK_BITMAP, USED_BLOCKS, BLOCKS);
	bitmap(AT_INODE_BITMAP, FILE_INODE, INODES);
	inode(ROOT_INODE, S_IFDIR | 0755, 2, AT_ROOT, 1);
	inode(FILE_INODE, S_IFREG | 0600, 1, AT_FILE, DISK_FILE_PAGES);
	at = entry(at, ROOT_INODE, 12, 2, ".");
	at = entry(at, ROOT_INODE, 12, 2, "..");
	entry(at, FILE_INODE, BLOCK - 24, 1, "page");
}

/* A loop device for the file; its path in `path`. 0 or an errno. */
static int attach(int file, struct line *path)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number, device, error = 0;

	if (control < 0)
		return errno;
	number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0)
		error = errno;
	close(control);
	if (error != 0)
		return error;
	path->n = 0;
	put(path, "/dev/loop");
	put_i64(path, number);
	device = open(line_text(path), O_RDWR | O_CLOEXEC);
	if (device < 0)
		return errno;
	if (ioctl(device, LOOP_SET_FD, file) != 0)
		error = errno;
	close(device);
	return error;
}

void job_disk(const struct request *r)
{
	struct line path;
	int file, error;

	if (!agent.is_init) {
		send_error(r->id, EPERM, "this agent is not PID 1 and will not mount anything", NULL);
		return;
	}
	if (access(DISK_FILE, F_OK) == 0) {
		send_ok(r->id);
		return;
	}
	make_image();
	file = memfd_create("disk", MFD_CLOEXEC);
	if (file < 0 || !write_fully(file, (const char *)image, sizeof(image))) {
		send_error(r->id, errno, "memfd", NULL);
		return;
	}
	error = attach(file, &path);
	if (error != 0) {
		send_error(r->id, error, "no loop device: load the module loop", NULL);
		return;
	}
	(void)mkdir(DISK_FOLDER, 0755);
	if (mount(line_text(&path), DISK_FOLDER, "ext4", 0, NULL) != 0)
		send_error(r->id, errno, "mount ext4", line_text(&path));
	else
		send_ok(r->id);
}
