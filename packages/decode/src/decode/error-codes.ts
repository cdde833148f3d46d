/** What the pure rooms throw, for `--explain`: decoding never does, making a record from words, members or JSON can. */
export const ERROR_CODES: Readonly<Record<string, string>> = {
  E_ARM_CLASS: 'A syndrome names an exception class that does not exist; nothing was made of it.',
  E_ARM_RANGE: 'A member of a KVM_EXIT_ARM_SEA exit does not fit 64 bits.',
  E_ARM_WORD: 'A word of a syndrome is no name of a class, a fault, a state or a flag that this syndrome has.',
  E_CPER_FIELD: 'A member does not belong to the structure it was given for; the hint lists those that do.',
  E_CPER_GUID: 'A GUID is missing, or is not written as 8-4-4-4-12 hex digits.',
  E_CPER_JSON: 'A value of a firmware record in JSON is of the wrong type or not readable; the message has its path.',
  E_CPER_RANGE: 'A value does not fit its place in the record, or two members for one place disagree.',
  E_REGISTER_FIELD: 'A field was given that the register does not have.',
  E_REGISTER_RANGE: 'A value does not fit the bits of its field.',
  E_REGISTER_TABLE:
    'A table of register fields overlaps itself or is wider than the register: a fault of this program.',
};
