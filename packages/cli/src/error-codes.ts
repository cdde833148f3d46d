/** What the command line throws itself, for `--explain`: what happened, and what to do. */
export const CLI_ERROR_CODES: Readonly<Record<string, string>> = {
  E_BISECT_ENDS:
    'A kernel that was given as good or bad has another verdict, so there is nothing to search between. See `syndrome run` with that kernel; a bisection needs one end that passes and one that fails.',
  E_CWD: 'The working folder was removed while a shell stood in it. Go to another one and try again.',
  E_DRILL_SITE:
    'The site allows no drill, or its drill file cannot be written. A host that takes drills has `drill:` with a path under agent: in its file; the agent reads what the injector writes there.',
  E_DRILL_VM:
    'The VM may not be given an error by a drill: it is unknown, its owner has not opted in, somebody else takes care of it, it does not run there, or the monitor is not shown to be its own. Nothing was injected.',
  E_DRILL_WAIT:
    'A step of the drill did not come within its time; the text says which. Run it again with --keep and look at the logs of agents and controller in its folder. A machine with much other load needs a longer --timeout.',
  E_FLEET_PLAYBOOK: 'No playbook of that name comes with the program; `syndrome fleet playbook` lists them.',
  E_FLEET_REPLAY: 'No ledger was named, or the one that was named is not there; the hint says how to name one.',
  E_INJECT_FATAL:
    'The outlook says that the injection may end badly for the guest, or does not know, so nothing was done. The lines before say how, and by which rule. Repeat with --yes if that is wanted, or say with --consumer and --set what runs there.',
  E_INPUT:
    'A file or folder given to read is missing, not readable, encrypted, too long, or not what it should be; or the program that unpacks it is not there. The hint says what to give.',
  E_OUTPUT:
    'The output cannot be written, to the file of --out or --html, or to stdout: the disk is full, or a right is missing.',
  E_POLICY_FILE: 'A policy was named that is neither shipped nor a file that can be read.',
  E_PLATFORM:
    'The lab starts machines with QEMU and packages of Debian, and for that it needs Linux. Decoding, predicting and encoding work elsewhere too.',
  E_REPORT:
    'The runs are finished, but the report (--junit and the like) could not be written; the cause is the system’s.',
  E_SIMULATE: 'So few host-hours were asked for that no host of the simulated site would have a minute.',
  E_SINGLE_FILE:
    'The single executable file decodes, predicts and encodes; lab and supervisor start other programs and are not in it. Install the whole program, with Node 24 or newer.',
  E_STORE_NAMED:
    'No store was named, or more than one, or the file that was named is not there; the hint says how to name one.',
  E_USAGE: 'The command line is wrong; nothing was started. The hint says what is expected, --help the rest.',
  E_USAGE_FILE:
    'A file named on the command line is missing, not readable or no regular file, or an output cannot be written where it is to go: a folder, a named pipe, no folder, no right, a link or file of another user in a folder that everybody may write to. Nothing was started.',
};
