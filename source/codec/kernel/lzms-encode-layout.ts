// LZMS encoder: where its tables lie. All of them are rebuilt for each chunk, or marked when they are kept, so other
// codecs may use the same region in between. Constant addresses become immediate offsets of loads and stores.

// Slots (lzms-encode-tables.ts).
/** Base and number of extra bits of each slot. */
export const OFFSET_BASE: usize = 0x10000; // u32, 800
export const OFFSET_EXTRA: usize = OFFSET_BASE + 3264; // u8, 800
export const LENGTH_BASE: usize = OFFSET_EXTRA + 832; // u32, 55
export const LENGTH_EXTRA: usize = LENGTH_BASE + 256; // u8, 54
/** Slot of each length up to 255. */
export const LENGTH_SLOT: usize = LENGTH_EXTRA + 64; // u8, 256
/** Slots of near, middle and far offsets, in steps of 1, 256 and 32768. */
export const NEAR_SLOT: usize = LENGTH_SLOT + 256; // u16, 0x10a5
export const MIDDLE_SLOT: usize = NEAR_SLOT + 0x2180; // u16, 0x1964
export const FAR_SLOT: usize = MIDDLE_SLOT + 0x3300; // u16, 0xcb7
/** Prices of a decision whose probability is p/64, for p = 0..64. */
export const BIT_PRICE: usize = FAR_SLOT + 0x1980; // u32, 65

// Adaptive codes (lzms-encode-codes.ts): each has three tables of 800 numbers.
export const LITERAL_CODE: usize = BIT_PRICE + 320;
export const OFFSET_CODE: usize = LITERAL_CODE + 9600;
export const LENGTH_CODE: usize = OFFSET_CODE + 9600;
export const DELTA_OFFSET_CODE: usize = LENGTH_CODE + 9600;
export const POWER_CODE: usize = DELTA_OFFSET_CODE + 9600;
/** Price of each length up to 255, with the length itself in the lowest eight bits. */
export const LENGTH_PRICE: usize = POWER_CODE + 9600; // u32, 256 and 4 to overrun
/** Scratch of building a code. */
export const SORTED: usize = LENGTH_PRICE + 1088; // u32, 801: frequency << 16 | symbol
export const BUCKETS: usize = SORTED + 3264; // u32, 256
export const INNER: usize = BUCKETS + 1024; // u32, 800: frequency, later depth
export const PARENT: usize = INNER + 3264; // u32, 800: parent << 2 | number of leaves below
export const DEPTHS: usize = PARENT + 3264; // u32, 64
export const NEXT: usize = DEPTHS + 256; // u32, 16

// Range coder (lzms-encode-writer.ts).
/** Entries: the last 64 bits, and how many of them were 0. */
export const ENTRY: usize = NEXT + 64; // u64, u32, -, 432
/** Prices of a 0 and a 1 with each entry. */
export const DECISION_PRICE: usize = ENTRY + 16 * 432; // u32, u32, 432

// Filter (lzms-encode-filter.ts).
/** Where each target (modulo 64 Ki) was last used. */
export const LAST_USE: usize = DECISION_PRICE + 8 * 432; // i32, 65536

// Match finder (lzms-encode-find.ts).
export const BATCH: u32 = 512;
/** For each position of the batch where its matches begin and end. */
export const MATCHES_START: usize = LAST_USE + 4 * 65536; // u32, BATCH
export const MATCHES_END: usize = MATCHES_START + 2048; // u32, BATCH
/** Pairs (length, offset), both rising within a position. */
export const MATCHES: usize = MATCHES_END + 2048; // u32, u32, 32 * BATCH
/** Room for the pairs of one position, in bytes. */
export const PAIRS: usize = 8 * 32;
/** Of which the tree may use so many; what is left is for far matches. */
export const NEAR_PAIRS: usize = 8 * 20;
/** Positions that go down the trees together. */
export const LANES: usize = 16;
export const LANE_SIZE: usize = 48;
export const LANE: usize = MATCHES + 8 * 32 * 512; // LANES + 1
/** Bucket, number of candidates and candidates of each position of the batch in the far table. */
export const FAR_BUCKETS: usize = LANE + 65 * LANE_SIZE; // u32, BATCH
export const FAR_COUNT: usize = FAR_BUCKETS + 2048; // u8, BATCH
export const FAR_LIST: usize = FAR_COUNT + 512; // u32, 8 * BATCH
/** How many delta candidates each position has. */
export const DELTA_INDEX: usize = FAR_LIST + 16384; // u8, BATCH
/** Up to eight pairs (length, item) for each position. */
export const DELTAS: usize = DELTA_INDEX + 576; // u32, u32, 8 * BATCH

// Parser (lzms-encode-parse.ts).
/** A section ends after this many bytes. */
export const SECTION: u32 = 2048;
/** Price << 8 | length of the item, and the item itself, per node. */
export const KEY: usize = DELTAS + 64 * 512; // u32, 2832
export const ITEM: usize = KEY + 4 * 2832; // u32, 2832
/** Parts of a compound per node: first item, its length, length of the last match. */
export const PARTS: usize = ITEM + 4 * 2832; // u32, u16, u16, 2832
/** States of the last nodes: four recent offsets, four recent delta pairs, decision histories. */
export const STATE: usize = PARTS + 8 * 2832; // 48 bytes, STATE_MASK + 1
export const STATE_MASK: u32 = 511;
/** The items of a section, last one first: item, length. */
export const PATH: usize = STATE + 48 * 512; // u32, u32, 2832
/** Four lanes of zeros, then four of greatest prices. */
export const TAIL: usize = PATH + 8 * 2832; // u32, 8

/** First byte behind the tables. */
export const TABLES_END: usize = TAIL + 64;
