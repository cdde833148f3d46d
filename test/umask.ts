/** Files that tests lay out have the modes that most machines give them: the program refuses folders that others may write to. */
process.umask(0o022);
