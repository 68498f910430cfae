/** Everything has a limit, and the limit has a name and a reason. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** The header field is 32 bits wide, but no tool writes more; a larger number is a damaged header. */
export const IMAGE_COUNT_MAX = 65_535;

/** wim.md §12.1 check 12: the metadata of 300,000 files is about 60 MB; 1 GiB holds millions. */
export const METADATA_SIZE_MAX = GIB;

/** wim.md §5.1: the XML data of a file with hundreds of images is below 1 MiB. */
export const XML_SIZE_MAX = 64 * MIB;
export const XML_DEPTH_MAX = 50;

/** wim.md §12.1 check 20: no real tree is deeper; Windows paths end at 32,767 units. */
export const TREE_DEPTH_MAX = 4096;

/** wim.md §4.12: the whole reparse buffer is at most 16 KiB, 8 bytes of which are not stored. */
export const REPARSE_DATA_SIZE_MAX = 16_376;

/** 50 bytes an entry: 16 million blobs; more is a damaged size field. */
export const BLOB_TABLE_SIZE_MAX = 800 * MIB;

/** A solid chunk above this asks for explicit permission, since a lane must hold it whole (wim.md §12.2). */
export const LZMS_CHUNK_SIZE_SAFE = 64 * MIB;

/** Work below this stays on the calling thread: starting a worker costs 20 to 50 ms. */
export const INLINE_WORK_MAX = 4 * MIB;

/** wim.md §6: an integrity table with other chunk sizes is not reused. */
export const INTEGRITY_CHUNK_SIZE_MIN = 4096;
export const INTEGRITY_CHUNK_SIZE_MAX = 128 * MIB;

/** A name on NTFS and in all Windows programs has at most 255 UTF-16 units. */
export const NAME_UNITS_MAX = 255;
