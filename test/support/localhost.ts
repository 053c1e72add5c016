/** A key and a self-signed certificate for localhost and 127.0.0.1, good for a hundred years. For tests alone: the key is public. */
export const localhost: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg56JuxHah0d93VvsU
DdBSxnZlJLUaepw0Zm8XRYwtlWyhRANCAARV7abItE/vtOYQwnML0Rj/D18fmKGv
mBZvTuucp3gRPYJLeqHBs/p80/qko7+1A1hI6ntWeAtW/cqmrXI0V5Mi
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUa8SjmVrhnHHPHWrNIv8ux9cBBhowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE5MTQ0M1oYDzIxMjYxMDMw
MTkxNDQzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARV7abItE/vtOYQwnML0Rj/D18fmKGvmBZvTuucp3gRPYJLeqHBs/p8
0/qko7+1A1hI6ntWeAtW/cqmrXI0V5Mio28wbTAdBgNVHQ4EFgQUns1+quxi/dEO
JCoYaNb+GaWo9BUwHwYDVR0jBBgwFoAUns1+quxi/dEOJCoYaNb+GaWo9BUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgOjzSvoevR4jYOIlHQ0JHG29ulkMi8el5U3pLZGTPGDACIQCL
O9/ifUE2mJjAW3dB4/bKIwzdUnUjiIaA1y+gbOf6/Q==
-----END CERTIFICATE-----`,
};

/** Another key and certificate for the same names, with the subject `CN=renewed`: what a server changes to. */
export const renewed: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNRoKy5gSN4fV9bVQ
QFtrhDDplEv01G+R+BBRVwoYWwKhRANCAATsErTDL7DnCDKWg4MRZp9bf1uR/XMe
HpZ682vxMoEvurYc9JUxda5NJTWtrLtEjbOV5UtMJpzpd0rcEs8ucMrf
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUXCXh2EbbSBiReCZJ+3MtF0n7GPswCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHcmVuZXdlZDAgFw0yNjExMjYwOTUyNDNaGA8yMTI2MTEwMjA5
NTI0M1owEjEQMA4GA1UEAwwHcmVuZXdlZDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABOwStMMvsOcIMpaDgxFmn1t/W5H9cx4elnrza/EygS+6thz0lTF1rk0lNa2s
u0SNs5XlS0wmnOl3StwSzy5wyt+jbzBtMB0GA1UdDgQWBBQGVqpsP4+0sBZNmBdN
VC9syRkclDAfBgNVHSMEGDAWgBQGVqpsP4+0sBZNmBdNVC9syRkclDAPBgNVHRMB
Af8EBTADAQH/MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAKBggqhkjOPQQD
AgNIADBFAiEAvCuUPUjK9bswl1TidxkR2rmMNdxhLY5IdPvaizeKnX8CICl59LKv
8jOWmXTwvPgl9M/w865HFhVn+zFeJadX1HW0
-----END CERTIFICATE-----`,
};
