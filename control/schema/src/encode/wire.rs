//! The wire format, written.

/// A message in the making.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn varint(&mut self, number: u8, value: u64) {
        self.tag(number, 0);
        self.raw(value);
    }

    pub(crate) fn fixed64(&mut self, number: u8, bits: u64) {
        self.tag(number, 1);
        self.0.extend(bits.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, number: u8, bytes: &[u8]) {
        self.tag(number, 2);
        self.raw(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn tag(&mut self, number: u8, kind: u64) {
        self.raw(u64::from(number) << 3 | kind);
    }

    fn raw(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
