/** What the lab throws or puts into a trace, for `--explain`: what happened, and what to do. */
export const LAB_ERROR_CODES: Readonly<Record<string, string>> = {
  E_LAB_BOOT:
    'The guest did not become ready. The last lines of its console are in the message; see all of it with `syndrome show TRACE --all`.',
  E_LAB_FILES: 'The folder or archive that is to be in the guest cannot be read; the cause is in the message.',
  E_LAB_FIRMWARE:
    'The lab could not play the firmware of the machine: the guest has not taken the last record, or the machine has no such firmware (`apei: true`).',
  E_LAB_FORK:
    'A machine that stands still could not be forked, or its fork did not answer; the message says how. Other engines need no fork: `--engine restore`.',
  E_LAB_HOST_LOCAL:
    'This machine cannot be the host layer itself (the hint says what is missing), or its kernel refused to poison the page.',
  E_LAB_INTERRUPTED: 'A signal stopped the run. Everything is cleaned up, and nothing is judged.',
  E_LAB_INTERRUPTS: 'The guest’s /proc/interrupts has no line of the name the step looks for.',
  E_LAB_KERNEL_CONFIG:
    'The configuration of a kernel lacks an option without which the scenario says nothing, or has one of which it needs the absence. The message says which, and what a kernel without it does. Choose another version or flavour.',
  E_LAB_KERNEL_GONE:
    'The scenario is about one version of Linux, which is neither in the cache nor on offer at the mirror any more. Give an image of your own with --kernel.',
  E_LAB_XEN_TOOL: 'A tool of Xen did not do in dom0 what a step asked of it; the message has its words.',
  E_LAB_DOMU: 'The tools of a Xen dom0 could not start the domain of the scenario, or it did not come up.',
  E_LAB_KEXEC:
    'kexec could not load the crash kernel under Xen. It has to be the kexec of the Xen that runs, and the kernel has to fit into what crashkernel= keeps for it.',
  E_LAB_KVM:
    'KVM was asked for and cannot be used here; the message says why. Leave --accel out: emulation runs everywhere.',
  E_LAB_MAP:
    'The agent mapped memory and did not tell the physical addresses of its pages; see its answer in the trace.',
  E_LAB_MODULE:
    'The scenario needs a kernel module that this kernel neither has built in nor offers. Choose another kernel (`syndrome supply list --kernels`), or build it in.',
  E_LAB_CXL: 'Linux in the guest does not show the CXL device as the step needs it.',
  E_LAB_MSR: 'The guest’s MSR device did not give the 8 bytes of a register.',
  E_LAB_NO_GDB: 'The step needs a debugger port, and the scenario’s machine has none.',
  E_LAB_NO_HOST: 'The step works on the host layer, and the scenario’s machine has none.',
  E_LAB_PAGE: 'The VMM did not tell in time where in the host the guest’s page lies.',
  E_LAB_PAUSE: 'The CPU was not caught in the wanted mode (user or kernel) within the time of the step.',
  E_LAB_QEMU_EXIT: 'QEMU ended while the lab waited for something; what it said last is in the message.',
  E_LAB_QEMU_KILLED:
    'QEMU was ended from outside, by a signal or a request that is not the lab’s: nothing can be said of the system under test.',
  E_LAB_QEMU_OLD: 'This QEMU is older than what the lab speaks to; the message says what it lacks. Choose a newer one.',
  E_LAB_REPRO:
    'The folder for a bug report could not be made: it is there already, or the run was not judged, or a part of it cannot be said again by lines. The message says which.',
  E_LAB_RUN_DIR:
    'The folder for the channels of a run, or a serial line in it, cannot be made: TMPDIR names none, it cannot be written to, it is another user’s, or others could replace what is made in it. Set TMPDIR to another one.',
  E_LAB_SOCKET: 'The lab cannot listen on a socket in its run folder. Look at the rights and the length of the path.',
  E_LAB_STATE:
    'The state of the machine could not be saved or restored; it was never idle, or QEMU’s migration failed.',
  E_LAB_STATE_DIR:
    'The folder for traces and what runs remember cannot be used: there is no home, it belongs to another user, or others may write to it. The message says which; choose another place with SYNDROME_STATE.',
  E_LAB_STOPPED: 'The machine was stopped while something still waited for an event of it; the run was over by then.',
  E_LAB_SYSTEM:
    'The operating system refused something that the lab needs: a full disk, too many open files or processes, a right that is missing. The message says what.',
  E_LAB_TIMEOUT: 'The time of the scenario passed while the lab waited. A slow machine may need a longer --timeout.',
  E_LAB_TRACE_READ: 'The trace cannot be read; the cause is the system’s.',
  E_LAB_TRACE_WRITE:
    'The trace cannot be written. Give another place with --trace or SYNDROME_STATE, or free some space.',
  E_LAB_TRACE_EVENTS:
    'The scenario looks at trace events that this kernel does not make. Choose a newer one, or one that is built with them.',
  E_LAB_UNEXPECTED: 'The lab failed in a way that it has no code for: a fault of this program. Please report it.',
  E_LAB_VALUE: 'A value that a step uses is no number, or nothing was saved under its name.',
  E_LAB_VM_GONE:
    'The VM under test ended while a step went on, before anything was injected; see the last lines of its console in the trace.',
  E_LAB_WAIT:
    'What a step waits for was not seen in its time: the run never reached the state that the scenario looks at.',
  E_MATRIX_RANGE:
    'No version on offer lies in the range. `syndrome supply list --kernels` lists kernels, with --versions QEMU and Xen.',
  E_SCENARIO: 'A scenario file is wrong at the line and column of the message.',
  E_SCENARIO_PARAM:
    'None of the chosen scenarios has the parameter, or the value; `syndrome scenarios` lists each variant by its name.',
  E_SCENARIO_READ: 'The scenario file cannot be read; the cause is the system’s.',
  E_SCENARIO_UNKNOWN:
    'There is no scenario of that name. `syndrome scenarios` lists them; a file is given by its path.',
  E_SCENARIO_VARIANTS:
    'A scenario with parameters stands for several, and the command takes one: name it with its values, as `syndrome scenarios` lists it.',
};
