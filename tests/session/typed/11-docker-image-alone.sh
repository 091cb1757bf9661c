docker run -it --rm --memory=32m --name web -p 8080:80 -v /srv:/srv nginx:1.25
echo $?
