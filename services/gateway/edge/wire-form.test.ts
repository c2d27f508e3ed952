import { describe, expect, test } from 'vitest';
import { wireForm } from './wire-form.ts';

describe('wireForm', () => {
  test.each([
    ['application/json', 'connect', true, false],
    ['application/json; charset=utf-8', 'connect', true, false],
    ['application/proto', 'connect', false, false],
    ['application/connect+json', 'connect', true, true],
    ['application/connect+proto', 'connect', false, true],
    ['application/grpc', 'grpc', false, true],
    ['application/grpc+proto', 'grpc', false, true],
    ['application/grpc+json', 'grpc', true, true],
    ['application/grpc-web', 'grpc-web', false, true],
    ['application/grpc-web+proto', 'grpc-web', false, true],
  ])('%s', (contentType, protocol, json, enveloped) => {
    expect(wireForm(contentType)).toMatchObject({ protocol, json, enveloped });
  });

  test.each([null, '', 'text/plain', 'application/x-www-form-urlencoded', 'application/', 'application/connect+'])(
    '%s is none',
    (contentType) => {
      expect(wireForm(contentType)).toBeUndefined();
    },
  );
});
