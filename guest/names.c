#include "names.h"

#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

struct named {
	int number;
	const char *name;
};

static const struct named errno_names[] = {
	{EPERM, "EPERM"},	{ENOENT, "ENOENT"},	{ESRCH, "ESRCH"},	{EINTR, "EINTR"},
	{EIO, "EIO"},		{ENXIO, "ENXIO"},	{E2BIG, "E2BIG"},	{ENOEXEC, "ENOEXEC"},
	{EBADF, "EBADF"},	{ECHILD, "ECHILD"},	{EAGAIN, "EAGAIN"},	{ENOMEM, "ENOMEM"},
	{EACCES, "EACCES"},	{EFAULT, "EFAULT"},	{EBUSY, "EBUSY"},	{EEXIST, "EEXIST"},
	{EXDEV, "EXDEV"},	{ENODEV, "ENODEV"},	{ENOTDIR, "ENOTDIR"},	{EISDIR, "EISDIR"},
	{EINVAL, "EINVAL"},	{ENFILE, "ENFILE"},	{EMFILE, "EMFILE"},	{ENOTTY, "ENOTTY"},
	{ETXTBSY, "ETXTBSY"},	{EFBIG, "EFBIG"},	{ENOSPC, "ENOSPC"},	{ESPIPE, "ESPIPE"},
	{EROFS, "EROFS"},	{EMLINK, "EMLINK"},	{EPIPE, "EPIPE"},	{EDOM, "EDOM"},
	{ERANGE, "ERANGE"},	{EDEADLK, "EDEADLK"},	{ENAMETOOLONG, "ENAMETOOLONG"},
	{ENOSYS, "ENOSYS"},	{ENOTEMPTY, "ENOTEMPTY"}, {ELOOP, "ELOOP"},	{ENODATA, "ENODATA"},
	{ETIME, "ETIME"},	{EPROTO, "EPROTO"},	{EBADMSG, "EBADMSG"},	{EOVERFLOW, "EOVERFLOW"},
	{EOPNOTSUPP, "EOPNOTSUPP"}, {ENOBUFS, "ENOBUFS"}, {ETIMEDOUT, "ETIMEDOUT"}, {EALREADY, "EALREADY"},
	{ECANCELED, "ECANCELED"}, {EKEYREJECTED, "EKEYREJECTED"}, {EHWPOISON, "EHWPOISON"},
};

static const struct named signal_names[] = {
	{SIGHUP, "SIGHUP"},	{SIGINT, "SIGINT"},	{SIGQUIT, "SIGQUIT"},	{SIGILL, "SIGILL"},
	{SIGTRAP, "SIGTRAP"},	{SIGABRT, "SIGABRT"},	{SIGBUS, "SIGBUS"},	{SIGFPE, "SIGFPE"},
	{SIGKILL, "SIGKILL"},	{SIGUSR1, "SIGUSR1"},	{SIGSEGV, "SIGSEGV"},	{SIGUSR2, "SIGUSR2"},
	{SIGPIPE, "SIGPIPE"},	{SIGALRM, "SIGALRM"},	{SIGTERM, "SIGTERM"},	{SIGCHLD, "SIGCHLD"},
	{SIGCONT, "SIGCONT"},	{SIGSTOP, "SIGSTOP"},	{SIGSYS, "SIGSYS"},	{SIGXCPU, "SIGXCPU"},
};

static const char *name_of(const struct named *table, size_t count, int number)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].number == number)
			return table[i].name;
	return NULL;
}

const char *errno_name(int error)
{
	return name_of(errno_names, COUNT(errno_names), error);
}

const char *signal_name(int signo)
{
	return name_of(signal_names, COUNT(signal_names), signo);
}

int signal_number(const char *name)
{
	for (size_t i = 0; i < COUNT(signal_names); i++)
		if (strcmp(signal_names[i].name, name) == 0)
			return signal_names[i].number;
	return 0;
}

/* include/uapi/asm-generic/siginfo.h */
const char *code_name(int signo, int code)
{
	static const char *const bus[] = {"BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"};
	static const char *const segv[] = {"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"};

	switch (code) {
	case 0: return "SI_USER";
	case 0x80: return "SI_KERNEL";
	case -1: return "SI_QUEUE";
	case -6: return "SI_TKILL";
	default: break;
	}
	if (signo == SIGBUS && code >= 1 && (size_t)code <= COUNT(bus))
		return bus[code - 1];
	if (signo == SIGSEGV && code >= 1 && (size_t)code <= COUNT(segv))
		return segv[code - 1];
	return "UNKNOWN";
}
