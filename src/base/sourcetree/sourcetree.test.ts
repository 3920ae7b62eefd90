import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { baseName, dirName, isWithin, joinPath, normalizePath, resolveLinks, type SourceTree } from './index.ts';

describe('paths', () => {
  const check = (path: string, expected: string | undefined) => it(`${JSON.stringify(path)} is ${JSON.stringify(expected)}`, () => assert.equal(normalizePath(path), expected));
  check('', '');
  check('.', '');
  check('./a//b/', 'a/b');
  check('a/../b', 'b');
  check('a/..', '');
  check('..', undefined);
  check('a/../../b', undefined);
  check('/a', 'a');

  it('never leave the tree, and normalizing twice changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '.', '..', '')), (segments) => {
        const normal = normalizePath(segments.join('/'));
        if (normal === undefined) return;
        assert.ok(!normal.split('/').includes('..'));
        assert.equal(normalizePath(normal), normal);
      }),
    );
  });

  it('take apart and join', () => {
    assert.deepEqual([dirName('a/b/c'), baseName('a/b/c'), dirName('c'), baseName('c')], ['a/b', 'c', '', 'c']);
    assert.deepEqual([joinPath('', 'a'), joinPath('a', ''), joinPath('a', 'b')], ['a', 'a', 'a/b']);
    assert.deepEqual([isWithin('', 'x'), isWithin('a', 'a'), isWithin('a', 'a/b'), isWithin('a', 'ab')], [true, true, true, false]);
  });
});

describe('links', () => {
  const tree: SourceTree = {
    files: new Map(),
    links: new Map([['link', 'dir/file'], ['dir/up', '../other'], ['chain', 'link'], ['folder', 'dir'], ['out', '../../etc'], ['root', '/etc/passwd'], ['loop', 'pool'], ['pool', 'loop'], ['self', 'self/x']]),
  };
  const check = (path: string, expected: string | undefined) => it(`${path} leads to ${expected ?? 'nowhere'}`, () => assert.equal(resolveLinks(tree, path), expected));
  check('plain/file', 'plain/file');
  check('link', 'dir/file');
  check('dir/up/x', 'other/x');
  check('chain', 'dir/file');
  check('folder/file', 'dir/file');
  check('folder/up/x', 'other/x');
  check('out/passwd', undefined);
  check('root', undefined);
  check('loop', undefined);
  check('self', undefined);
});
