/**
 * Error numbers that administrators meet around Windows images. Win32 and servicing (CBS) codes are those of
 * Microsoft's public documentation, mount codes (0xC142, 0xC151) those of the message tables of wimgapi.dll and
 * DISM, session codes (0xC004) those of the DISM API. The codes of wimlib-imagex were observed by running version
 * 1.13.5 on good, damaged and impossible input. All wording is our own.
 */

export interface ErrorMeaning {
	readonly code: number;
	readonly meaning: string;
	readonly advice: string;
}

const list = (rows: readonly (readonly [number, string, string])[]): readonly ErrorMeaning[] =>
	rows.map(([code, meaning, advice]) => ({ code, meaning, advice }));

const CLOSE =
	'Close every window, shell and program that is in the mount folder, then try again; a restart closes all.';
const CLEAN = 'Run dism /Cleanup-Mountpoints (or dism /Cleanup-Wim), then mount again.';
const UNMOUNT =
	'List the mounts with dism /Get-MountedImageInfo and unmount with /Commit or /Discard.';
const SOURCE =
	'Name a source of exactly the same build and edition with /Source:wim:install.wim:INDEX /LimitAccess.';
const DAMAGED =
	'Run wimdeck verify on the WIM; copy it again, or use wimdeck salvage or wimdeck repair.';
const SPACE = 'Free some space on the target and on the drive of the scratch or temporary folder.';
const DISK = 'Check the disk and its cable, then run chkdsk; copy the file from another source.';
const ELEVATE = 'Run the command from an elevated prompt.';
const NETWORK =
	'Check the connection and the share, and map it again; copy the WIM to a local disk.';

/** Win32 errors, by decimal number. As an HRESULT they are 0x8007 and the number in hexadecimal. */
export const WIN32_ERRORS = list([
	[
		1,
		'The function does not exist (incorrect function)',
		'Check the arguments; the drive or driver may not support this.',
	],
	[
		2,
		'A file was not found',
		'Check the path; with a split WIM name all parts with /SWMFile or --ref.',
	],
	[
		3,
		'A folder of the path was not found',
		'Check each folder of the path; the target folder must exist for DISM.',
	],
	[4, 'Too many files are open', 'Close programs, or restart.'],
	[
		5,
		'Access was denied',
		`${ELEVATE} Clear the read-only attribute of the WIM (attrib -r), and let virus scanners leave the folder alone.`,
	],
	[
		6,
		'A handle was invalid, often because the file vanished or is read-only',
		'Copy the WIM to a local disk, clear its read-only attribute, and try again.',
	],
	[
		8,
		'There was not enough memory',
		'Close programs; solid (ESD) images need hundreds of megabytes for each thread.',
	],
	[
		11,
		'The format is wrong: this program cannot read the file',
		'An ESD or LZMS file needs DISM of Windows 8.1 or later; wimdeck info shows the compression. Export it to an LZX WIM with wimdeck export --compress=maximum.',
	],
	[13, 'The data is invalid: the WIM is damaged or not a WIM', DAMAGED],
	[14, 'There was not enough memory or paging file', 'Close programs, or enlarge the paging file.'],
	[
		15,
		'The drive was not found',
		'Check the drive letter; in Windows PE letters differ (diskpart, list volume).',
	],
	[19, 'The medium is write-protected', 'Copy the WIM to a disk that can be written.'],
	[21, 'The device is not ready', 'Check the drive and the medium.'],
	[23, 'A checksum of the disk failed (CRC)', DISK],
	[29, 'Writing to the device failed', DISK],
	[30, 'Reading from the device failed', DISK],
	[31, 'A device does not work', DISK],
	[
		32,
		'The file is in use by another program',
		'Close the program that uses it (Resource Monitor, handles), or restart.',
	],
	[33, 'A part of the file is locked by another program', 'Close the program that uses it.'],
	[38, 'The end of the file was reached too early: it is cut short', DAMAGED],
	[39, 'The disk is full', SPACE],
	[
		50,
		'The request is not supported',
		'Often an old DISM on a newer image, an edition that cannot be changed, or /Online in Windows PE. Use DISM of the same version as the image.',
	],
	[53, 'The network path was not found', NETWORK],
	[55, 'The network resource is no longer there', NETWORK],
	[58, 'The server cannot do what was asked', NETWORK],
	[59, 'An unexpected network error occurred', NETWORK],
	[64, 'The network name is no longer available', NETWORK],
	[65, 'The network denied access', 'Sign in to the share with net use and an account that may.'],
	[67, 'The network name was not found', NETWORK],
	[80, 'The file exists already', 'Choose another name, or delete the old file.'],
	[82, 'The file or folder could not be made', 'Check permissions and space of the target.'],
	[
		87,
		'An argument is wrong',
		'Check spelling, slashes and order of the options; an old DISM does not know newer ones. Use the DISM of the ADK or of the installed system.',
	],
	[110, 'The file could not be opened', 'Check the path and whether another program holds it.'],
	[112, 'There is not enough space on the disk', SPACE],
	[121, 'A device or server did not answer in time', NETWORK],
	[
		122,
		'A buffer was too small',
		'Use a newer DISM; the names in the image may be too long for this one.',
	],
	[123, 'A name has wrong syntax', 'Remove stray quotes and trailing backslashes from the paths.'],
	[145, 'The folder is not empty', 'Empty the folder, or choose another.'],
	[161, 'The path is wrong', 'Check the path.'],
	[183, 'The file exists already', 'Choose another name, or delete the old file.'],
	[
		193,
		'A program file is not valid for this system',
		'The file may be damaged, or of another processor architecture.',
	],
	[206, 'A name or path is too long', 'Use a shorter target folder, as C:\\m.'],
	[
		216,
		'The program is of another processor architecture',
		'Use the DISM that matches the running system.',
	],
	[
		225,
		'A virus scanner stopped it',
		'Let the scanner leave the image and the mount folder alone.',
	],
	[
		267,
		'The folder name is invalid',
		'Check the path; the mount folder must be an empty folder on an NTFS drive.',
	],
	[298, 'A semaphore was posted too often', 'Restart, then try again.'],
	[487, 'An address was invalid', 'Restart, then try again.'],
	[
		574,
		'An unhandled exception occurred in a DISM module',
		'Restart, then try again with another version of DISM.',
	],
	[740, 'The program must run elevated', ELEVATE],
	[775, 'The number of system handles was exceeded', 'Restart, then try again.'],
	[995, 'The operation was aborted', 'Run it again.'],
	[998, 'Memory could not be accessed', 'Restart; if it happens again, test the memory.'],
	[1005, 'The volume has no file system that is known', 'Format the volume, or name another.'],
	[1006, 'The volume was changed from outside', DISK],
	[
		1009,
		'The registry of the image is damaged',
		'Run wimdeck verify; take another copy of the image.',
	],
	[
		1017,
		'A registry file of the image is not in the right format',
		'Run wimdeck verify; take another copy of the image.',
	],
	[1018, 'A registry key is marked for deletion', CLOSE],
	[1067, 'A process ended unexpectedly', 'Restart, then try again.'],
	[1117, 'The disk reports a read or write error', DISK],
	[
		1168,
		'An element was not found',
		'The feature, package or driver is not in this image; list them with /Get-Features or /Get-Packages.',
	],
	[1223, 'The user canceled', 'Run it again.'],
	[1235, 'The request was aborted', 'Run it again; when a folder is in use, close what uses it.'],
	[1243, 'The service does not exist', 'The image or system lacks a service that is needed.'],
	[1314, 'A privilege is missing', ELEVATE],
	[1392, 'A file or folder is damaged and cannot be read', `${DISK} For a WIM: ${DAMAGED}`],
	[1393, 'The structure of the disk is damaged', DISK],
	[1450, 'The system has not enough resources', 'Close programs, or restart.'],
	[1460, 'The time for the operation ran out', 'Run it again; check network and disk.'],
	[1603, 'An installation failed', 'Read the log of the installer.'],
	[1605, 'The product is not installed', 'Check the name of the package.'],
	[1639, 'The command line is wrong', 'Check the options.'],
	[
		1726,
		'The helper process of DISM died (the remote procedure call failed)',
		'Restart, then run dism /Online /Cleanup-Image /StartComponentCleanup first.',
	],
	[1784, 'A buffer was not valid for the operation', 'Use a newer DISM.'],
	[
		1920,
		'The file cannot be accessed by the system',
		'The file is a reparse point without its driver (as System Compression, OneDrive); copy the real file.',
	],
	[2404, 'The device is in use', CLOSE],
	[3010, 'Done, but a restart is needed', 'Restart the system.'],
	[
		4390,
		'The file or folder is no reparse point',
		'The mount folder is not mounted (any more); see dism /Get-MountedImageInfo.',
	],
	[4392, 'The data of a reparse point is invalid', CLEAN],
	[
		4448,
		'The WIM has another GUID than the one the mount or pointer files refer to',
		'Put back the WIM that the files point to.',
	],
	[6009, 'A file could not be decrypted', 'The file is encrypted (EFS) and its key is not there.'],
	[
		14098,
		'The component store is damaged',
		`Run dism /Image:PATH /Cleanup-Image /RestoreHealth. ${SOURCE}`,
	],
]);

/** HRESULTs that are no Win32 errors, as unsigned numbers. */
export const HRESULT_ERRORS = list([
	[0x80004001, 'Not implemented', 'Use a newer DISM.'],
	[0x80004005, 'An error without further name', 'Read the end of %WINDIR%\\Logs\\DISM\\dism.log.'],
	[
		0x80040154,
		'A component of DISM is not registered',
		'The DISM folder is incomplete; use the DISM of the ADK.',
	],
	[0x80070643, 'An installation failed', 'Read the log of the installer.'],
	[0x800f0801, 'The value is not set', 'Read the end of dism.log and CBS.log.'],
	[
		0x800f0805,
		'The package is invalid',
		'Get the .cab or .msu file again; expand an .msu first when DISM is old.',
	],
	[
		0x800f0806,
		'Actions are pending in the image',
		'Boot the image once, or use dism /Image:PATH /Cleanup-Image /RevertPendingActions.',
	],
	[
		0x800f080c,
		'The feature or update is not known to this image',
		'Check the spelling with dism /Get-Features.',
	],
	[0x800f080d, 'A name is unknown in the manifest of the package', 'Get the package again.'],
	[
		0x800f081e,
		'The package does not apply to this image',
		'Take the package for this build, architecture and edition; wimdeck info shows them.',
	],
	[0x800f081f, 'The source files were not found', SOURCE],
	[
		0x800f0823,
		'The servicing stack is too old for the package',
		'Install the newest servicing stack update first.',
	],
	[0x800f0825, 'The package cannot be removed: it is permanent', 'Keep it.'],
	[
		0x800f0830,
		'The image can no longer be serviced',
		'Discard this image and begin with a fresh copy.',
	],
	[
		0x800f0831,
		'The component store is damaged: a package it refers to is missing',
		'Install the missing update that CBS.log names, or begin with a fresh image.',
	],
	[0x800f0902, 'Servicing is busy', 'Wait for the other operation, then try again.'],
	[0x800f0906, 'The source files could not be downloaded', `Check the connection. ${SOURCE}`],
	[0x800f0907, 'Downloading source files is forbidden by policy', SOURCE],
	[
		0x800f0922,
		'Installing failed in its last steps; often the system or recovery partition is full',
		'Free space on the EFI system and recovery partitions, then try again.',
	],
	[0x800f0950, 'A feature on demand could not be installed', SOURCE],
	[0x800f0952, 'A package that is needed was missing', 'Install the packages it depends on first.'],
	[
		0x800f0954,
		'Windows Update is not allowed as a source (WSUS)',
		`Allow it by the policy for optional components, or: ${SOURCE}`,
	],
	[
		0x800f0988,
		'A package could not be staged',
		'Run dism /Cleanup-Image /StartComponentCleanup, then try again.',
	],
	[
		0x800f0991,
		'A component of the update is missing in the image',
		'Install the checkpoint updates before this one.',
	],
	[0x80310000, 'The volume is locked by BitLocker', 'Unlock it with manage-bde -unlock.'],
	[
		0xc0040001,
		'The DISM API was used before it was initialised',
		'A fault of the program that calls DISM.',
	],
	[0xc0040002, 'The DISM session is shutting down', 'Run it again.'],
	[
		0xc0040003,
		'DISM sessions are still open',
		'Close the other DISM sessions (PowerShell windows).',
	],
	[0xc0040004, 'The DISM session is invalid', 'Open a new one.'],
	[0xc0040005, 'There is no image with this index', 'List the images with wimdeck info.'],
	[0xc0040006, 'There is no image with this name', 'List the images with wimdeck info.'],
	[0xc0040007, 'The folder to unmount is not a mounted image', UNMOUNT],
	[0xc0040009, 'The log file could not be opened; nothing is logged', 'Choose another /LogPath.'],
	[
		0xc004000a,
		'The image cannot be unmounted while a DISM session uses it',
		'Close the other DISM sessions.',
	],
	[
		0xc004000b,
		'The image cannot be mounted while a DISM session uses it',
		'Close the other DISM sessions.',
	],
	[
		0xc004000c,
		'The image cannot be remounted while a DISM session uses it',
		'Close the other DISM sessions.',
	],
	[0xc004000d, 'A feature that this one needs is off', 'Use /All with /Enable-Feature.'],
	[0xc004000e, 'The folder is the running system', 'Use /Online instead of /Image.'],
	[0xc004000f, 'The product key does not fit', 'Use a key for the target edition.'],
	[
		0xc1420101,
		'The WIM is read-only, so it cannot be mounted for changes',
		'Clear the attribute (attrib -r), copy it off the DVD, or mount with /ReadOnly.',
	],
	[0xc1420103, 'The mount folder exists already in the list of mounts', UNMOUNT],
	[
		0xc1420105,
		'A file of the mounted image is missing; a filter interferes',
		'Let virus scanners and indexers leave the mount folder alone.',
	],
	[0xc142010b, 'The folder is not mounted', UNMOUNT],
	[
		0xc142010c,
		'The image was mounted read-only, so its changes cannot be committed',
		'Unmount with /Discard; mount again without /ReadOnly.',
	],
	[0xc1420111, 'The mounted image was not found', UNMOUNT],
	[0xc1420112, 'A file in the mount folder is in use', CLOSE],
	[0xc1420113, 'The folder holds a mounted image already', UNMOUNT],
	[
		0xc1420114,
		'The mount folder is not empty',
		'Choose an empty folder; after a failed mount run dism /Cleanup-Mountpoints.',
	],
	[0xc1420115, 'The mount folder does not exist', 'Make the folder first.'],
	[
		0xc1420117,
		'The folder could not be unmounted completely',
		`${CLOSE} Then unmount with /Discard, or ${CLEAN}`,
	],
	[0xc1420118, 'Another process uses the mounted image', 'Wait for the other operation.'],
	[0xc142011c, 'The folder is no valid mounted image', CLEAN],
	[
		0xc142011d,
		'The changes cannot be committed: the image was partly unmounted, or is still being mounted',
		'Unmount with /Discard; copy files you need out of the folder first.',
	],
	[0xc142011e, 'The mount folder was moved or changed', CLEAN],
	[
		0xc142011f,
		'The volume of the mount folder has no reparse points',
		'Mount into a folder on an NTFS volume.',
	],
	[0xc1420120, 'The mount in this folder is damaged', CLEAN],
	[
		0xc1420122,
		'The WIM was changed after it was mounted, so nothing can be committed',
		'Unmount with /Discard; commit into a copy with /Append next time.',
	],
	[0xc1420123, 'The folder cannot be remounted', CLEAN],
	[
		0xc1420124,
		'The WIM was changed after it was mounted, so it cannot be remounted',
		'Unmount with /Discard, then mount again.',
	],
	[0xc1420125, 'It is being unmounted at this moment', 'Wait until that has ended.'],
	[0xc1420126, 'The image is mounted already', UNMOUNT],
	[
		0xc1420127,
		'The image in this WIM is mounted for changes already',
		`${UNMOUNT} Afterwards ${CLEAN}`,
	],
	[
		0xc1420130,
		'A split WIM cannot be mounted',
		'Make one file of it: wimdeck join whole.wim install*.swm',
	],
	[0xc1420131, 'An image cannot be mounted to the root of a volume', 'Mount into an empty folder.'],
	[
		0xc1420132,
		'The folder was mounted by another version of wimgapi',
		'Unmount with the version that mounted it.',
	],
	[
		0xc1420134,
		'The mount folder is not on a fixed local disk',
		'Mount into a folder on a local NTFS disk.',
	],
	[
		0xc1420135,
		'Mounting failed because a scanner or indexer was in the mount folder',
		'Let it leave the folder alone.',
	],
	[
		0xc142013c,
		'Images with this compression (ESD) cannot be mounted',
		'Export it first: wimdeck export install.esd INDEX install.wim --compress=maximum',
	],
	[
		0xc1510111,
		'You may not mount and change this image',
		'Clear the read-only attribute of the WIM (attrib -r), copy it off the DVD, and run elevated.',
	],
	[0xc1510112, 'You may not mount this image', ELEVATE],
	[0xc1510113, 'There is no image with this index', 'List the images with wimdeck info.'],
	[
		0xc1510114,
		'The mounted image must be remounted before it is serviced',
		'Run dism /Remount-Image /MountDir:PATH.',
	],
	[0xc1510115, 'The mounted image is invalid', CLEAN],
	[0xc15101fd, 'Another DISM operation is servicing the image', 'Wait until it has ended.'],
]);

/** Exit codes of wimlib-imagex, as observed. */
export const WIMLIB_ERRORS = list([
	[2, 'Compressed data is invalid', DAMAGED],
	[
		6,
		'Mounting through FUSE failed',
		'Check that FUSE is installed and the folder exists and is empty.',
	],
	[
		10,
		'Header, XML data and metadata disagree about the number of images',
		'wimdeck info reads such files; wimdeck optimize writes them right.',
	],
	[11, 'An image with this name exists already', 'Choose another name.'],
	[
		13,
		'The integrity table does not match the file',
		'Run wimdeck verify: it tells a stale table from damaged data.',
	],
	[14, 'The capture configuration file is invalid', 'Correct the line that was named.'],
	[
		15,
		'The chunk size is invalid',
		'Use a chunk size that the compression allows: wimdeck help capture.',
	],
	[16, 'The compression type is unknown', 'Run wimdeck info --header; the header may be damaged.'],
	[17, 'The header is invalid', DAMAGED],
	[18, 'There is no such image', 'List the images with wimdeck info.'],
	[19, 'The integrity table is invalid', 'The data may be whole: run wimdeck verify.'],
	[20, 'An entry of the blob table is invalid', DAMAGED],
	[21, 'The metadata of an image is invalid', DAMAGED],
	[24, 'An argument is invalid', 'Check the command.'],
	[25, 'The part number is invalid', 'Name the first part, and get all parts of the same set.'],
	[28, 'A blob has the wrong SHA-1', DAMAGED],
	[32, 'The path to delete is a folder', 'Use --recursive.'],
	[36, 'The file holds no images, only data', 'Name the first part of the split WIM.'],
	[39, 'Memory ran out, or a size in the file is absurd', DAMAGED],
	[40, 'A folder was expected', 'Check the path.'],
	[42, 'A path to extract is not a regular file', 'Name files only with --to-stdout.'],
	[
		43,
		'The file is not a WIM',
		'Check the file; wimdeck salvage can look for data without a header.',
	],
	[47, 'A file could not be opened', 'Check the path and the permissions.'],
	[49, 'The path is not in the image', 'List the files with wimdeck dir.'],
	[50, 'A file could not be read', DISK],
	[
		55,
		'Data that is needed is missing from the WIM',
		'Name the other parts, or the base of the delta, with --ref.',
	],
	[62, 'The parts do not belong together, or one is missing', 'Get all parts of the same set.'],
	[63, 'Facts of a file or folder could not be read', 'Check the path and the permissions.'],
	[65, 'The file ends too early', DAMAGED],
	[67, 'The version of the WIM is unknown', 'Run wimdeck info --header.'],
	[
		71,
		'The WIM is read-only',
		'Check permissions and the read-only flag; a split WIM must be joined first.',
	],
	[72, 'A file could not be written', SPACE],
	[73, 'The XML data of the WIM is invalid', DAMAGED],
	[83, 'The capture configuration file could not be read', 'Check the path and the encoding.'],
	[
		84,
		'The WIM is incomplete: making it was interrupted',
		'Make it again; wimdeck salvage gets back what was written.',
	],
]);
