// What the decoding kernel (not the encoding one) keeps where in its memory, and the codes it returns.
//
// Nothing is placed by the compiler (no strings, no static arrays), so the addresses below are all there is. They are
// constants, which lets loads and stores carry them as immediate offsets. The codecs share one region, since a chunk
// leaves nothing behind for the next one.

/** 17 counters, 17 running positions: scratch of `buildTable`. */
export const COUNTS: usize = 1024;
export const POSITIONS: usize = 1280;
/** One u32 per used symbol, up to 656; not at the same time as what stands there below. */
export const USED: usize = 30720;

/** Byte order of repeated patterns, for distances below 16: 16 masks of 16 bytes, then 16 step widths of 4 bytes. */
export const PATTERN_MASKS: usize = 1536;
export const PATTERN_STEPS: usize = 1792;

/** LZX: per offset slot the base (u32) and the number of extra bits (u32). */
export const LZX_SLOTS: usize = 2048;

/** Code lengths, one byte per symbol. */
export const LENGTHS: usize = 4096;
/** LZX keeps the lengths of two codes from block to block, and needs two small ones besides. */
export const MAIN_LENGTHS: usize = 4096; // 656; zeros follow
export const LENGTH_LENGTHS: usize = 4864; // 249; zeros follow
export const SMALL_LENGTHS: usize = 5376; // 20, from byte 32 on 8; zeros follow each

/** Decoding tables (u16 per entry), each followed by what codewords longer than the table need. */
export const MAIN_TABLE: usize = 8192; // 2^12 entries
export const MAIN_LONG: usize = 16384;
export const LENGTH_TABLE: usize = 20480; // 2^10 entries
export const LENGTH_LONG: usize = 24576;
export const SMALL_TABLE: usize = 28672; // 2^7 entries
export const SMALL_LONG: usize = 29184;

/** Scratch of adaptive.ts: 132 counters, 801 keys, 800 nodes of 12 bytes. */
export const SORT_COUNTS: usize = 29696;
export const SORT_KEYS: usize = 30720;
export const TREE: usize = 34048;

/** LZMS: the histories of all decision classes (432 of 8 bytes). */
export const HISTORIES: usize = 44032;
/** LZMS: slots, 8 bytes each. */
export const OFFSET_ROWS: usize = 47616; // 800
export const LENGTH_ROWS: usize = 54016; // 55
/** LZMS: five adaptive codes of CODE_SIZE bytes. */
export const CODES: usize = 54528;

/** x86 filter: last use of 65536 targets, 4 bytes each. */
export const LAST_USES: usize = 131072;

/** The areas for chunks begin here. */
export const AREAS: usize = 393216;

// What `decode` returns; decoder.ts has the sentences.
export const DONE: u32 = 0;
export const ENDS_EARLY: u32 = 1;
export const MATCH_BEFORE_START: u32 = 2;
export const MATCH_PAST_END: u32 = 3;
export const CODE_INCOMPLETE: u32 = 4;
export const SYMBOL_UNKNOWN: u32 = 5;
export const LENGTH_FORM: u32 = 6;
export const BLOCK_TYPE: u32 = 7;
export const BLOCK_SIZE: u32 = 8;
export const MATCH_PAST_BLOCK: u32 = 9;
export const LENGTHS_BROKEN: u32 = 10;
export const RECENT_OFFSET: u32 = 11;
export const STORED_SIZE: u32 = 12;
export const DELTA_DISTANCE: u32 = 13;
export const FORMAT_UNKNOWN: u32 = 14;
/** Not the end of a chunk: its next stored bytes are wanted. */
export const MORE: u32 = 15;
