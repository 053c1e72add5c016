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
