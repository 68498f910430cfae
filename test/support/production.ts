// Imported before React: its development build is three times slower, and not what ships.
process.env['NODE_ENV'] = 'production';
process.env['FORCE_COLOR'] = '1';
