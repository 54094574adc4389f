/** The key of `testCert`, for tests alone. */
export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi3/bvg7GQ7F3MydW
EN/pNHOjJ96/Cs80mTkmUvvBPkyhRANCAARjJNNxmWJ8dN+r7mguMRMRGUCoSpCV
b8VgMoP1efImxv8NHO+Rg1kaUOriE68AOfcvjHl2NgNGyIufmFTqpY6j
-----END PRIVATE KEY-----`
/** Made for secure.test and for nothing else; signed by itself, valid from 2020 to 2120. */
export const testCert = `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtzZWN1cmUu
dGVzdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFjEUMBIGA1UE
AwwLc2VjdXJlLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARjJNNxmWJ8
dN+r7mguMRMRGUCoSpCVb8VgMoP1efImxv8NHO+Rg1kaUOriE68AOfcvjHl2NgNG
yIufmFTqpY6jo0owSDAWBgNVHREEDzANggtzZWN1cmUudGVzdDAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBQgbBESikS3g2Y/N053+Tj/D/pZrjAKBggqhkjOPQQD
AgNIADBFAiBLMvMGQvpgRo9h1CYcIgmFnvEy8oTtwu/a4/wojBL7UgIhALbaIDgv
Le+PDwgjHt3V9v6UZ1AcG76eyxcwAaOpDgdC
-----END CERTIFICATE-----`
