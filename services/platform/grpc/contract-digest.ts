import { createHash } from 'node:crypto';
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/**
 * SHA-256, in hexadecimal, of a file's descriptor and of every file of the same organisation that it imports, directly or
 * not. Two programs with the same digest were built from the same wire format. The organisation is the first part of the
 * package name; files of others, such as google.protobuf, do not count. Files are taken in the order of their names, each
 * after its length, so that nothing can move from one into the next.
 */
export function contractDigest(file: DescFile): string {
  const [organisation = ''] = file.proto.package.split('.');
  const files = new Map<string, DescFile>();
  const open = [file];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (files.has(next.name) || !`${next.proto.package}.`.startsWith(`${organisation}.`)) continue;
    files.set(next.name, next);
    open.push(...next.dependencies);
  }
  const hash = createHash('sha256');
  for (const { proto } of [...files.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const bytes = toBinary(FileDescriptorProtoSchema, proto);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}
