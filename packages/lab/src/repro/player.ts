/** The program of a folder for a bug report: it plays `steps.txt` against a QEMU, with nothing but Python's own library. */
export const PLAYER = String.raw`#!/usr/bin/env python3
"""Boots the machine of this folder, says what steps.txt says, and tells whether what was seen is seen again.

Usage: python3 reproduce.py [-v] [--keep] [--scale N]      QEMU=... names another QEMU than the one on PATH.
Exit status: 0 all expected lines were seen, 1 some were not, 3 the machine did not come so far.

A line of steps.txt:  CHANNEL > what is said      CHANNEL < what has to come before the next is said
                      CHANNEL = what has to have come by the end
{name} is a number: where it comes first it is taken from the machine, later it has to be that number ({name>>12}
is its page frame). "…" is whatever stands there. A line "!" says that the error comes now: what is expected has to come after it.
"""
import argparse, os, re, select, shutil, signal, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBER = re.compile(r'\{([a-zA-Z][\w.-]*?)(>>12)?(:016x)?\}')


class Stuck(Exception):
    pass


def said(text, values):
    """What is said to the machine: numbers by their names, in hexadecimal."""
    def number(match):
        name, frame, wide = match.groups()
        if name not in values:
            raise Stuck('the machine did not tell ' + name)
        value = values[name] >> 12 if frame else values[name]
        return '0x%016x' % value if wide else '0x%x' % value
    return NUMBER.sub(number, text)


def wanted(text, values):
    """A regular expression of a line that has to come, and the names that it tells for the first time."""
    parts, new, at = [], [], 0
    def literal(piece):
        parts.append('.*'.join(re.escape(p) for p in re.split(' ?… ?', piece)))
    for match in NUMBER.finditer(text):
        literal(text[at:match.start()])
        at = match.end()
        name, frame, _ = match.groups()
        if name in values:
            value = values[name] >> 12 if frame else values[name]
            parts.append('(?:0x)?0*%x' % value)
        else:
            new.append((name, bool(frame)))
            parts.append('(?:0x)?([0-9a-f]+)')
    literal(text[at:])
    return re.compile(''.join(parts), re.IGNORECASE), new


class Line:
    """One line between this program and the machine, as bytes that came and where reading stands."""
    def __init__(self, folder, name):
        self.name, self.lines, self.rest, self.next, self.mark = name, [], b'', 0, 0
        self.out = os.path.join(folder, name + '.out')
        self.path = os.path.join(folder, name + '.sock')
        self.file = self.server = self.peer = self.input = None
        if name in SOCKETS:
            self.server = socket.socket(socket.AF_UNIX)
            self.server.bind(self.path)
            self.server.listen(1)
        else:
            open(self.out, 'wb').close()
            self.file = open(self.out, 'rb')
            os.mkfifo(os.path.join(folder, name + '.in'))
            self.input = os.open(os.path.join(folder, name + '.in'), os.O_RDWR | os.O_NONBLOCK)

    def look(self):
        if self.server and not self.peer:
            if not select.select([self.server], [], [], 0)[0]:
                return
            self.peer = self.server.accept()[0]
            self.peer.setblocking(False)
        try:
            data = self.peer.recv(1 << 16) if self.peer else self.file.read(1 << 16)
        except (BlockingIOError, ConnectionError):
            return
        self.rest += data
        *whole, self.rest = self.rest.split(b'\n')
        for line in whole:
            text = line.decode('utf-8', 'replace').rstrip('\r')
            self.lines.append(text)
            if VERBOSE:
                print('%-11s %s' % (self.name, text))

    def say(self, text):
        data = text.encode() + b'\n'
        if self.peer:
            self.peer.setblocking(True)
            self.peer.sendall(data)
            self.peer.setblocking(False)
        else:
            while data:
                try:
                    data = data[os.write(self.input, data):]
                except BlockingIOError:
                    time.sleep(0.01)

    def find(self, expression, start):
        for index in range(start, len(self.lines)):
            match = expression.search(self.lines[index])
            if match:
                return index, match
        return None


def main():
    steps = []
    for row in open(os.path.join(HERE, 'steps.txt'), encoding='utf-8'):
        match = re.match(r'(\w+) ([<>=]) (.*)', row.rstrip('\n'))
        if row.startswith('channels: '):
            channels = row.split()[1:]
        else:
            steps.append(match.groups() if match else (None, row[:1], row.strip('# \n')))
    folder = tempfile.mkdtemp(prefix='repro-')
    lines = {name: Line(folder, name) for name in channels}
    environment = dict(os.environ, RUN=folder)
    machine = subprocess.Popen(['sh', os.path.join(HERE, 'machine.sh')], env=environment, start_new_session=True,
                               stdin=subprocess.DEVNULL)
    def ended(*_):
        sys.exit(143)
    signal.signal(signal.SIGTERM, ended)
    try:
        return play(steps, lines, machine)
    finally:
        if machine.poll() is None:
            os.killpg(machine.pid, signal.SIGKILL)
            machine.wait()
        if KEEP:
            print('what the machine said is in ' + folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def play(steps, lines, machine):
    values, expected, missing = {}, [], 0
    def look():
        for line in lines.values():
            line.look()
    def until(line, text, seconds):
        expression, new = wanted(text, values)
        # Answers of a monitor come in the order of what it was asked.
        ordered = line.name in SOCKETS and re.match(r'"(return|error)": |{"QMP"', text)
        deadline = time.monotonic() + seconds * SCALE
        dead = False
        while True:
            found = line.find(expression, line.next if ordered else 0)
            if found:
                break
            if dead or time.monotonic() > deadline:
                raise Stuck('%s did not say: %s%s' % (line.name, text, ' (QEMU has ended)' if dead else ''))
            dead = machine.poll() is not None
            time.sleep(0.02)
            look()
        index, match = found
        if ordered:
            line.next = index + 1
        for (name, frame), number in zip(new, match.groups()):
            values[name] = int(number, 16) << (12 if frame else 0)
            print('            %s = 0x%x' % (name, values[name]))
    try:
        for channel, sign, text in steps:
            if sign == '#':
                print('# ' + text)
            elif sign == '!':
                for line in lines.values():
                    line.look()
                    line.mark = len(line.lines)
            elif sign == '>':
                what = said(text, values)
                print('%-11s > %s' % (channel, what if len(what) < 160 else what[:160] + ' ...'))
                lines[channel].say(what)
            elif sign == '<':
                until(lines[channel], text, 300)
            elif sign == '=':
                expected.append((channel, text))
    except Stuck as why:
        print('STUCK: %s' % why)
        return 3
    deadline = time.monotonic() + 60 * SCALE
    print()
    for channel, text in expected:
        expression, _ = wanted(text, values)
        while True:
            found = lines[channel].find(expression, lines[channel].mark)
            if found or time.monotonic() > deadline:
                break
            time.sleep(0.02)
            look()
        print('%-8s %-11s %s' % ('seen' if found else 'NOT SEEN', channel, lines[channel].lines[found[0]].strip() if found else text))
        missing += not found
    print('\n%d of %d expected lines were seen' % (len(expected) - missing, len(expected)))
    return 1 if missing or not expected else 0


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-v', action='store_true', help='show all that the machine says')
    parser.add_argument('--keep', action='store_true', help='keep what the machine said')
    parser.add_argument('--scale', type=float, default=1, help='a slower computer: all deadlines so many times longer')
    options = parser.parse_args()
    VERBOSE, KEEP, SCALE = options.v, options.keep, options.scale
    SOCKETS = {'outer', 'qmp'}
    sys.exit(main())
`;
