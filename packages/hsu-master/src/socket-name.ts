/** Of the socket by which a master is asked, in its run directory. */
export const SOCKET_NAME = 'control.sock';
