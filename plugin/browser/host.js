// The native host, under the name that the registration gave it.
export const HOST = "org.handfast.host";
